"""Every way in which a stored lab can be wrong is found without running it."""

import pytest

from tests.notebooks.tiny import write
from tools.canonical import dumps
from tools.check_lab import MAX_BYTES, problems

pytest_plugins = ("tests.notebooks.fixtures",)


def test_executed_lab_has_no_problems(tiny, tmp_path):
    assert problems(write(tiny, tmp_path)) == []


def strip(tiny, code):
    for cell in code:
        cell.outputs, cell.execution_count = [], None


def count(tiny, code):
    code[3].execution_count += 1


def result_count(tiny, code):
    code[2].outputs[3].execution_count = 99


def silence(tiny, code):
    code[7].outputs = []


def unannounced(tiny, code):
    code[7].metadata = {}


def no_view(tiny, code):
    tiny.metadata.pop("widgets")


def colab(tiny, code):
    code[0].source += "\n"


def path(tiny, code):
    code[2].outputs[0].text = "saved to /home/someone/lab\n"


def address(tiny, code):
    code[2].outputs[0].text = "<object at 0x7f3a12bc45d0>\n"


def timing(tiny, code):
    code[2].outputs[0].text = "CPU times: user 3 s\n"


def alt(tiny, code):
    data = code[3].outputs[0].data
    data["text/html"] = data["text/html"].replace('alt="a line"', 'alt=""')


def bare_picture(tiny, code):
    code[3].outputs[0].data["image/png"] = "iVBORw0K"


def drawing(tiny, code):
    code[3].outputs[0].data["text/html"] += "<svg><path/></svg>"


def stderr(tiny, code):
    code[2].outputs[0].name = "stderr"


def excuse(tiny, code):
    code[2].source = "# NBVAL_IGNORE_OUTPUT\n" + code[2].source


def excuse_tag(tiny, code):
    code[2].metadata["tags"] = ["nbval-skip"]


def claim(tiny, code):
    del code[4].outputs[2]


def twice(tiny, code):
    code[4].outputs.append(code[4].outputs[0])


def foreign(tiny, code):
    code[4].outputs[0].metadata["application/vnd.lmcourse.claim+json"]["id"] = "VEC1"


def title(tiny, code):
    tiny.cells[0].source = tiny.cells[0].source.removeprefix("# ")


def chapter(tiny, code):
    tiny.cells[0].source = "# A tiny lab"


def size(tiny, code):
    code[2].outputs[0].text = "a" * MAX_BYTES


def platform(tiny, code):
    tiny.metadata.pop("lmcourse")


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (strip, "execution count None"),
        (count, "execution count 5, not 4"),
        (result_count, "numbered 99"),
        (silence, "raises-exception"),
        (unannounced, "raises-exception"),
        (no_view, "not in the saved state"),
        (colab, "not the Colab cell"),
        (path, "absolute path"),
        (address, "address in memory"),
        (timing, "a timing"),
        (alt, "<img> without alt text"),
        (bare_picture, "image/png has no alt text"),
        (drawing, "<svg> without alt text"),
        (stderr, "stderr"),
        (excuse, "excused"),
        (excuse_tag, "excused"),
        (claim, "claim TOK3 is left out"),
        (twice, "TOK1 is given 2 times"),
        (foreign, "VEC1 is not of this room"),
        (title, "no title"),
        (chapter, "no link to the chapter"),
        (size, "more than"),
        (platform, "not in stored form"),
    ],
)
def test_damage_is_found(tiny, code, tmp_path, damage, found):
    damage(tiny, code)
    assert any(found in line for line in problems(write(tiny, tmp_path)))


def test_other_layout_of_the_file_is_found(tiny, tmp_path):
    file = write(tiny, tmp_path)
    file.write_text(dumps(tiny).replace("\n ", "\n  "), encoding="utf-8")
    assert problems(file) == ["not in stored form: run `python -m tools.notebooks`"]


def test_lab_of_no_room_is_found(tiny, tmp_path):
    file = write(tiny, tmp_path)
    assert "'alchemy' is not a room of lmcourse/claims.toml" in problems(file.rename(tmp_path / "alchemy.ipynb"))
