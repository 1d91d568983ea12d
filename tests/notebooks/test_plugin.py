"""nbval with the plugin: a lab as it was stored passes; any stored output that was changed fails in its cell."""

import os
import re
import subprocess
import sys

import pytest

from tests.notebooks.tiny import CELLS, unexecuted, write
from tools.canonical import WIDGETS
from tools.notebooks import execute
from tools.project import ROOT

pytest_plugins = ("tests.notebooks.fixtures",)
OPTIONS = ["--nbval", "--nbval-kernel-name=python3", "--nbval-sanitize-with=tests/notebooks/sanitize.cfg"]


@pytest.fixture
def nbval(tmp_path):
    """Run nbval with the plugin on a lab; gives the numbers of the cells that fail and what was printed."""

    def run(notebook, labs_from=ROOT, **options):
        path = write(notebook, tmp_path)
        for name in options.get("beside", []):
            (path.parent / name).write_text("")
        # The summary goes into a scratch folder, not over that of the run that runs this test.
        command = [sys.executable, "-m", "pytest", "-p", "tests.notebooks.plugin", "-p", "no:cacheprovider", *OPTIONS]
        command += [f"--labs-from={labs_from}", f"--labs-record={tmp_path / 'budgets.json'}"]
        command += ["--rootdir=.", "-cpyproject.toml", "--color=no"]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        result = subprocess.run(
            [*command, path], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
        )
        failed = {int(cell) for cell in re.findall(r"^FAILED .*::Cell (\d+)", result.stdout, re.MULTILINE)}
        return failed, result.stdout

    return run


def test_lab_as_stored_passes_and_its_budget_is_recorded(nbval, tiny, tmp_path):
    failed, printed = nbval(tiny)
    assert not failed
    assert "8 passed" in printed
    assert re.search(r"^tokenization: \d+ s, 0\.\d\d GB$", printed, re.MULTILINE)
    assert '"tokenization"' in (tmp_path / "budgets.json").read_text()


def test_every_kind_of_changed_output_fails_in_its_cell(nbval, tiny, code):
    code[2].outputs[1].data["text/plain"] = "work: 301 steps"
    html = code[3].outputs[0].data
    html["text/html"] = other_picture(html["text/html"])
    code[4].outputs[2].metadata["application/vnd.lmcourse.claim+json"]["verdict"] = "holds in part"
    code[5].outputs[0].metadata["scrapbook"]["name"] = "shore"
    del code[6].outputs[0]
    code[7].outputs[0].evalue = "unannounced"
    failed, printed = nbval(tiny)
    assert failed == {2, 3, 4, 5, 6, 7}
    assert "pixels differ" in printed


def other_picture(html):
    notebook, _ = execute(unexecuted([CELLS[0], CELLS[2].replace("[1, 3, 2]", "[1, 3, 1.9]")]))
    (output,) = notebook.cells[3].outputs
    assert output.data["text/html"] != html
    return output.data["text/html"]


def test_changed_glued_number_changed_card_and_changed_widget_state_fail(nbval, tiny, code):
    code[5].outputs[0].data["text/plain"] = "0.7513"
    card = code[4].outputs[0].data
    card["text/html"] = card["text/html"].replace("holds", "held")
    state = tiny.metadata.widgets[WIDGETS].state
    slider = next(model for model in state.values() if model.model_name == "IntSliderModel")
    slider.state.value = 4
    failed, printed = nbval(tiny)
    assert failed == {4, 5, 7}
    assert "the saved state of the widgets differs" in printed


def test_stripped_outputs_fail(nbval, tiny, code):
    for cell in code:
        cell.outputs, cell.execution_count = [], None
    assert nbval(tiny)[0] == {2, 3, 4, 5, 6, 7}


def test_of_a_lab_from_another_processor_kinds_and_assertions_count(nbval, tiny, code):
    tiny.metadata.lmcourse.platform += "-of-another-make"
    code[2].outputs[1].data["text/plain"] = "work: 301 steps"
    code[4].outputs[0].data["text/html"] += "<p>more</p>"
    assert nbval(tiny)[0] == set()
    del code[6].outputs[0]
    code[4].source = code[4].source.replace("n > 0", "n > 1")
    failed, printed = nbval(tiny)
    assert {4, 6} <= failed
    assert "TOK1 does not hold: n is positive" in printed


def test_claim_that_stopped_holding_fails(nbval, tiny, code):
    code[4].source = code[4].source.replace("n > 0", "n > 1")
    failed, printed = nbval(tiny)
    assert 4 in failed
    assert "TOK1 does not hold: n is positive" in printed


def test_other_package_or_other_files_beside_the_notebook_fail(nbval, tiny, tmp_path):
    failed, printed = nbval(tiny, labs_from=tmp_path, beside=["data.txt"])
    assert failed == {7}
    assert "lmcourse was imported from" in printed
    assert "held more than the notebook: ['data.txt']" in printed


def test_lab_over_its_budget_fails(nbval):
    lab, _ = execute(unexecuted(["import lmcourse\nblock = bytes(range(256)) * 9_000_000\nlen(block)"]))
    failed, printed = nbval(lab)
    assert failed == {1}
    assert "over the budget of 120 s and 2 GB" in printed
