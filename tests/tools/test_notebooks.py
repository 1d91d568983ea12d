"""Executing a lab twice gives the same bytes, and nothing of the run stays in it."""

import json

import nbformat
import pytest

from tests.notebooks.tiny import unexecuted, write
from tools import notebooks
from tools.canonical import dumps, normalise, widget_state
from tools.project import colab_cell, labs, repository_url

pytest_plugins = ("tests.notebooks.fixtures",)


def test_second_run_gives_the_same_bytes(tiny, tmp_path, capsys):
    path = write(tiny, tmp_path)
    before = path.read_bytes()
    notebooks.update(path)
    assert path.read_bytes() == before
    assert "same bytes" in capsys.readouterr().out
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_run_mends_what_was_changed(tiny, code, tmp_path):
    whole = dumps(tiny)
    code[0].source, code[2].outputs[0].text = "import google.colab", "eins\n"
    path = write(tiny, tmp_path)
    notebooks.update(path)
    assert path.read_text(encoding="utf-8") == whole


def test_colab_cell_comes_first_with_the_address_of_the_configuration(code):
    assert code[0].source == colab_cell()
    assert f"git+{repository_url()}" in code[0].source
    assert "REPOSITORY_URL" not in code[0].source


def test_address_is_read_from_the_configuration(tmp_path):
    (tmp_path / "_config.yml").write_text("repository: {url: https://example.org/course}\n")
    assert repository_url(tmp_path / "_config.yml") == "https://example.org/course"


def test_no_timing_and_no_run_dependent_metadata_is_stored(tiny, code):
    assert all(not cell.metadata for cell in code[:-1])
    assert set(tiny.metadata) == {"kernelspec", "language_info", "lmcourse", "widgets"}
    assert set(tiny.metadata.lmcourse) == {"platform"}


def test_printed_text_and_progress_are_stored_in_order(code):
    kinds = [output.output_type for output in code[2].outputs]
    assert kinds == ["stream", "display_data", "stream", "execute_result"]
    assert code[2].outputs[1].data == {"text/plain": "work: 300 steps"}
    assert code[2].outputs[2].text == "." * 300 + "two\n"


def test_widget_state_is_kept_with_numbered_ids(tiny, code):
    view = code[6].outputs[0].data["application/vnd.jupyter.widget-view+json"]
    assert list(widget_state(tiny)) == [f"{n:032x}" for n in range(len(widget_state(tiny)))]
    assert view["model_id"] in widget_state(tiny)
    assert "n = 3" in json.dumps(widget_state(tiny))


def test_normalising_twice_changes_nothing(tiny):
    assert dumps(normalise(normalise(tiny))) == dumps(normalise(tiny)) == dumps(tiny)


def test_valid_cell_ids_are_kept_and_others_derived():
    notebook = unexecuted(["1", "2", "3"])
    for cell, id in zip(notebook.cells, ["title", "same", "same", "no spaces"], strict=True):
        cell.id = id
    assert [cell.id for cell in normalise(notebook).cells] == ["title", "colab", "same", "cell-03", "cell-04"]


def test_traceback_is_cut_to_its_last_line(code):
    assert code[7].outputs[0].traceback == ["ValueError: as announced"]


def test_output_on_stderr_is_refused():
    with pytest.raises(ValueError, match=r"cell 2 writes to stderr: .oops"):
        notebooks.execute(unexecuted(["import sys\nprint('oops', file=sys.stderr)"]))


def test_object_that_cannot_be_displayed_is_refused():
    broken = "class Broken:\n    def _repr_html_(self):\n        return 1 / 0\n"
    source = f"{broken}from lmcourse import lab\nlab.glue('key', Broken())"
    with pytest.raises(ValueError, match=r"cell 2 shows an error: .*ZeroDivisionError"):
        notebooks.execute(unexecuted([source]))


def test_working_directory_is_empty_and_is_gone_afterwards(tmp_path):
    notebook, _ = notebooks.execute(unexecuted(["import os\nos.listdir()"]))
    assert notebook.cells[2].outputs[0].data["text/plain"] == "[]"


def test_meter_sees_time_and_memory():
    _, meter = notebooks.execute(unexecuted(["import time\nblock = bytes(range(256)) * 1_200_000\ntime.sleep(0.4)"]))
    assert meter.peak_bytes > 300e6
    assert meter.seconds > 0.4
    assert 0 < meter.busy_seconds < meter.seconds
    assert meter.needed == meter.busy_seconds


def test_copy_puts_each_lab_alone_and_names_the_wheel_kernel(tiny, tmp_path):
    path = write(tiny, tmp_path / "course")
    (tmp_path / "labs" / "old").mkdir(parents=True)
    notebooks.copy([path], tmp_path)
    assert [str(entry.relative_to(tmp_path)) for entry in sorted((tmp_path / "labs").rglob("*"))] == [
        "labs/tokenization",
        "labs/tokenization/tokenization.ipynb",
    ]
    spec = json.loads((tmp_path / "jupyter/kernels/lmcourse-wheel/kernel.json").read_text())
    assert spec["argv"][0] == str(tmp_path / "wheel-env/bin/python")
    assert nbformat.read(tmp_path / "labs/tokenization/tokenization.ipynb", as_version=4) == tiny


def test_unknown_lab_is_refused():
    with pytest.raises(ValueError, match="alchemy"):
        labs(["alchemy"])
