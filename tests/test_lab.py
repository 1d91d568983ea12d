"""What a lab shows reaches the chapter, carries alt text, and is the same on every run."""

import base64
import io

import myst_nb
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from lmcourse import lab

pytest_plugins = ("tests.notebooks.shell",)


def draw(heights=(1, 3, 2)):
    figure, axes = plt.subplots(figsize=(4, 3))
    axes.bar(range(len(heights)), heights)
    return figure


@pytest.mark.parametrize("display", [False, True])
@pytest.mark.parametrize("value", [0.75, 12, "er_", np.float64(1.5), [1, 2], {"a": 1.0}])
def test_glue_equals_myst_nb(published, value, display):
    ours = published(lambda: lab.glue("tok.key", value, display=display))[-1]
    theirs = published(lambda: myst_nb.glue("tok.key", value, display=display))[-1]
    assert ours == theirs
    assert ours["metadata"]["scrapbook"]["name"] == "tok.key"


@pytest.mark.parametrize("key", ["", "two words", "a:b"])
def test_bad_key_is_refused(key):
    with pytest.raises(ValueError, match="glue key"):
        lab.glue(key, 1)


def test_outside_ipython_nothing_is_printed(capsys):
    lab.glue("key", 1)
    lab.show(draw(), alt="three bars")
    assert capsys.readouterr() == ("", "")


def test_figure_is_a_picture_with_alt_text_and_closed(shown):
    figure = draw()
    bundle, metadata = shown(lambda: lab.show(figure, alt='bars: "a" < b'))
    assert 'alt="bars: &quot;a&quot; &lt; b"' in bundle["text/html"]
    assert bundle["text/plain"] == '[figure] bars: "a" < b'
    assert metadata == {}
    assert not plt.fignum_exists(figure.number)


def test_figure_has_the_drawn_size(shown):
    bundle, _ = shown(lambda: lab.show(draw(), alt="three bars"))
    data = bundle["text/html"].split("base64,")[1].split('"')[0]
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (4 * lab.PIXELS_PER_INCH, 3 * lab.PIXELS_PER_INCH)
    assert 'width="384"' in bundle["text/html"]


def test_same_figure_gives_the_same_bytes_without_a_version(published):
    first = published(lambda: lab.show(draw(), alt="three bars"))[-1]
    second = published(lambda: lab.show(draw(), alt="three bars"))[-1]
    assert first == second
    data = base64.b64decode(first["data"]["text/html"].split("base64,")[1].split('"')[0])
    assert b"Matplotlib" not in data
    assert published(lambda: lab.show(draw((1, 3, 9)), alt="three bars"))[-1] != first


def test_figure_can_be_glued(shown):
    _, metadata = shown(lambda: lab.show(draw(), alt="three bars", key="bars"))
    assert metadata["scrapbook"] == {"name": "bars", "mime_prefix": ""}


def test_figure_without_alt_is_refused():
    with pytest.raises(ValueError, match="alt text"):
        lab.show(draw(), alt=" ")


def test_progress_passes_everything_on_and_is_silent_in_a_pipe(capsys):
    assert list(lab.progress(range(5), desc="steps")) == [0, 1, 2, 3, 4]
    assert list(lab.progress(iter("ab"))) == ["a", "b"]
    assert capsys.readouterr() == ("", "")


class Display:
    """Stands in for a kernel's display: keeps every text that a reader would have seen."""

    def __init__(self):
        self.texts = []

    def __call__(self, bundle, **options):
        self.texts.append(bundle["text/plain"])
        return self

    update = __call__


@pytest.fixture
def texts(monkeypatch):
    display = Display()
    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr("IPython.get_ipython", lambda: type("Shell", (), {"kernel": object()}))
    monkeypatch.setattr(lab, "INTERVAL", 0)
    return display.texts


def test_progress_in_a_kernel_moves_and_ends_as_it_began(texts):
    assert list(lab.progress(range(1000), desc="merges")) == list(range(1000))
    assert texts[0] == texts[-1] == "merges: 1,000 steps"
    assert "50%" in "".join(texts[1:-1])


def test_progress_in_a_kernel_ends_so_when_left_early(texts):
    for _ in lab.progress(range(10), desc="merges"):
        break
    assert texts[-1] == "merges: 10 steps"
