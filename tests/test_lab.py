"""What a lab shows reaches the chapter, carries alt text, and is the same on every run."""

import base64
import io

import myst_nb
import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from lmcourse import lab
from tools.compare import INLINE_PICTURE

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


class Output(Display):
    """Keeps whole bundles."""

    def __init__(self):
        self.bundles = []

    def __call__(self, bundle, **options):
        self.bundles.append((bundle, options.get("metadata")))
        return self

    update = __call__

    @property
    def texts(self):
        return [bundle["text/plain"] for bundle, _ in self.bundles]


class Point:
    def __init__(self, step, validation):
        self.step, self.validation = step, validation


def trained(plot, *, steps=6, stop=None):
    with plot as monitor:
        for step in range(1, steps + 1):
            if step == stop:
                raise KeyboardInterrupt
            monitor.on_step(step, 3.0 / step)
            if step % 2 == 0:
                monitor.on_point(Point(step, 4.0 / step))


@pytest.fixture
def output(monkeypatch):
    found = Output()
    monkeypatch.setattr("IPython.display.display", found)
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr(lab, "INTERVAL", 0)
    return found


def test_the_loss_is_drawn_live_and_ends_without_times(output, monkeypatch):
    monkeypatch.setattr(lab.time, "monotonic", lambda: 7.0)
    plt.close("all")
    trained(lab.TrainingPlot(6, alt='falls from 3 "nats"', key="loss", desc="decoder"))
    assert len(output.texts) == 1 + 6 + 1
    assert all("decoder" in text for text in output.texts)
    assert "2/6" in output.texts[2]
    assert "loss 1.500" in output.texts[2]
    bundle, metadata = output.bundles[-1]
    assert bundle["text/plain"] == '[figure] falls from 3 "nats"\ndecoder: 6 steps'
    assert bundle["text/html"].endswith("<pre>decoder: 6 steps</pre>")
    assert 'alt="falls from 3 &quot;nats&quot;"' in bundle["text/html"]
    assert metadata == {"scrapbook": {"name": "loss", "mime_prefix": ""}}
    assert not plt.get_fignums()


def test_drawing_takes_little_of_the_time(output, monkeypatch):
    """Steps of 10 ms and pictures of 100 ms: at most one step in two hundred draws."""
    now = [0.0]
    monkeypatch.setattr(lab.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(
        lab, "_picture", lambda figure, alt: now.__setitem__(0, now[0] + 0.1) or plt.close(figure) or ""
    )
    plot = lab.TrainingPlot(1000, alt="falls")
    with plot as monitor:
        for step in range(1, 1001):
            monitor.on_step(step, 1.0)
            now[0] += 0.01
    assert 4 <= len(output.bundles) <= 8


def test_the_same_losses_are_stored_as_the_same_bytes(output):
    for _ in range(2):
        trained(lab.TrainingPlot(6, alt="falls"))
    ends = [bundle for bundle, _ in output.bundles if bundle["text/plain"].endswith(": 6 steps")]
    assert len(ends) == 4
    assert ends[1] == ends[3]


def test_before_the_first_step_all_but_the_curve_is_as_at_the_end(output):
    """nbval compares the first state of a display with the stored last one, without the bytes of pictures."""
    trained(lab.TrainingPlot(6, alt="falls"))
    (before, after) = (
        {name: INLINE_PICTURE.sub("", text) for name, text in output.bundles[i][0].items()} for i in (0, -1)
    )
    assert before == after
    assert output.bundles[0] != output.bundles[-1]


def test_a_stopped_run_says_so(output):
    with pytest.raises(KeyboardInterrupt):
        trained(lab.TrainingPlot(6, alt="falls"), stop=4)
    assert output.texts[-1] == "[figure] falls\ntraining: stopped after 3 of 6 steps"


def test_a_run_that_was_finished_before_has_no_picture(output):
    trained(lab.TrainingPlot(6, alt="falls"), steps=0)
    assert output.bundles[-1][0] == {"text/plain": "training: 6 steps"}


def test_the_plot_shows_means_of_neighbours_and_the_validation():
    figure = lab._loss_figure([(step, float(step)) for step in range(1, 1001)], [(500, 2.5), (1000, 1.5)])
    training, validation = figure.axes[0].lines
    assert len(training.get_xdata()) == 100
    assert (training.get_xdata()[0], training.get_ydata()[0]) == (10, 5.5)
    assert list(validation.get_ydata()) == [2.5, 1.5]
    plt.close(figure)


def test_a_plot_outside_ipython_or_without_alt(capsys):
    trained(lab.TrainingPlot(6, alt="falls"))
    assert capsys.readouterr() == ("", "")
    with pytest.raises(ValueError, match="alt text"):
        lab.TrainingPlot(6, alt="")
