"""Whatever changes in a stored output is seen when the cell is run again."""

import base64
import copy
import io

import numpy as np
import pytest
from nbformat import NotebookNode
from PIL import Image

from tools.compare import INLINE_PICTURE, differences, other_kinds, picture_difference
from tools.project import platform_tag

pytest_plugins = ("tests.notebooks.fixtures",)


def png(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, format="PNG", **options)
    return stream.getvalue()


def gradient(shift=0):
    return np.tile(np.arange(100), (80, 1)) + shift


def inline(output, pixels):
    code = base64.b64encode(png(pixels)).decode()
    output.data["text/html"] = INLINE_PICTURE.sub(f"data:image/png;base64,{code}", output.data["text/html"])


def all_outputs(code):
    return [(cell, position) for cell in code for position in range(len(cell.outputs))]


def test_same_outputs_do_not_differ(code):
    assert all(differences(cell.outputs, copy.deepcopy(cell.outputs), True) == [] for cell in code)


def test_every_missing_output_is_seen(code):
    outputs = all_outputs(code)
    assert len(outputs) >= 14
    for cell, position in outputs:
        fewer = cell.outputs[:position] + cell.outputs[position + 1 :]
        assert differences(fewer, cell.outputs, True)


def changed(value):
    return value + "x" if isinstance(value, str) else {**value, "x": 1}


def test_every_changed_field_is_seen(code):
    for cell, position in all_outputs(code):
        for key in set(cell.outputs[position]) - {"execution_count", "data"}:
            if key != "traceback":
                stored = copy.deepcopy(cell.outputs)
                stored[position][key] = changed(stored[position][key])
                assert differences(stored, cell.outputs, True), key


def test_every_changed_mime_type_is_seen_and_every_missing_one(code):
    for cell, position in all_outputs(code):
        for mime in cell.outputs[position].get("data", {}):
            stored = copy.deepcopy(cell.outputs)
            stored[position].data[mime] = changed(stored[position].data[mime])
            assert differences(stored, cell.outputs, True), mime
            del stored[position].data[mime]
            assert differences(stored, cell.outputs, True) == [f"output {position}: {mime} is new"]


def test_changed_claim_record_is_seen(code):
    stored = copy.deepcopy(code[4].outputs)
    stored[0].metadata["application/vnd.lmcourse.claim+json"]["verdict"] = "holds in part"
    assert "holds in part" in differences(stored, code[4].outputs, True)[0]


def test_changed_glue_key_is_seen(code):
    stored = copy.deepcopy(code[5].outputs)
    stored[0].metadata["scrapbook"]["name"] = "shore"
    assert "shore" in differences(stored, code[5].outputs, True)[0]


@pytest.mark.parametrize("mime", ["text/html", "image/png"])
def test_one_changed_pixel_is_seen_where_the_picture_was_drawn(code, mime):
    old, new = (copy.deepcopy(code[3].outputs) for _ in range(2))
    pixels = gradient()
    for outputs in (old, new):
        inline(outputs[0], pixels)
        if mime == "image/png":
            outputs[0].data = {mime: base64.b64encode(png(pixels)).decode()}
        pixels = pixels.copy()
        pixels[3, 3] += 1
    assert "pixels differ" in differences(old, new, True)[0]
    assert differences(old, new, False) == []


def test_other_encoding_of_the_same_pixels_is_the_same_picture():
    a, b = png(gradient(), compress_level=0), png(gradient(), compress_level=9)
    assert a != b
    assert picture_difference(a, b, True) is None


@pytest.mark.parametrize(("shift", "differs"), [(0, False), (1, False), (2, True), (9, True)])
def test_elsewhere_the_mean_difference_decides(shift, differs):
    # Of four channels three are shifted, and the threshold is a mean of one step.
    assert bool(picture_difference(png(gradient()), png(gradient(shift)), False)) is differs


def test_other_size_is_a_difference_everywhere():
    assert "100 x 80 pixels became 99 x 80" in picture_difference(png(gradient()), png(gradient()[:, :99]), False)


def test_prompt_number_is_not_compared(code):
    stored = copy.deepcopy(code[2].outputs)
    stored[3].execution_count = 99
    assert differences(stored, code[2].outputs, True) == []


def test_kinds_of_outputs():
    shown = [NotebookNode(output_type="display_data", data={"text/plain": "1", "text/html": "<b>1</b>"})]
    other = copy.deepcopy(shown)
    other[0].data["text/plain"] = "2"
    assert other_kinds(shown, other) == []
    assert len(other_kinds(shown, [])) == 1
    del other[0].data["text/html"]
    assert len(other_kinds(shown, other)) == 1


def test_the_tag_tells_processors_apart(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("vendor_id : GenuineIntel\ncpu family : 6\nmodel : 143\nmodel name : something\n")
    other.write_text("vendor_id : GenuineIntel\ncpu family : 6\nmodel : 207\n")
    assert platform_tag(one).endswith("-genuineintel-6-143")
    assert platform_tag(other) != platform_tag(one)
    assert platform_tag(tmp_path / "none") in platform_tag(one)
