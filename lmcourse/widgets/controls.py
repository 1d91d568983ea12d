"""Controls for a lab with a running kernel: sliders for the filters that ask the real model again.

Chapter: `book/decoding.md`.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

import ipywidgets
import torch
from torch import Tensor

from lmcourse.decoding import Filter, MinP, Nucleus, Temperature, TopK
from lmcourse.widgets.tokenizer_explorer import visible_text

Filters = tuple[Filter, ...]
_NOTE = "A page without a kernel stops here; in JupyterLab or Colab the controls below ask the model again."


class Controls:
    """What `sampling_controls` returns: a table that the page keeps, and below it the live `box` of widgets."""

    def __init__(self, table: str, box: ipywidgets.VBox) -> None:
        self.table, self.box = table, box

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        display(HTML(f"{self.table}<p><em>{_NOTE}</em></p>"), self.box)

    def __repr__(self) -> str:
        return f"Controls({[type(child).__name__ for child in self.box.children]})"


def sampling_controls(
    next_token: Callable[[str], Tensor],
    decode: Callable[[list[int]], str],
    generate: Callable[[str, Filters, torch.Generator], str],
    *,
    generator: torch.Generator,
    prompt: str = "The weather is",
    p: float = 0.9,
    top: int = 12,
) -> Controls:
    """Sliders for temperature, top-k, nucleus and min-p and a box for the prompt, which ask the real model.

    `next_token(prompt)` gives the logits (V,), `decode(ids)` the text, `generate(prompt, filters, generator)` the
    continuation; a new prompt asks for new logits, the button for a new continuation. A filter is off where it changes
    nothing: temperature 1, k = 0, p = 1, min-p = 0. The last line of a cell: a page without kernel shows the
    distribution under the settings at the start, the `top` most probable tokens with their probabilities before and
    after. A ValueError of the model, such as that of an empty prompt, is shown and not raised.
    """
    text = ipywidgets.Text(prompt, description="Prompt", continuous_update=False)
    settings = {
        "temperature": ipywidgets.FloatSlider(1.0, min=0.0, max=2.0, step=0.05, description="Temperature"),
        "k": ipywidgets.IntSlider(0, min=0, max=200, description="Top-k"),
        "p": ipywidgets.FloatSlider(p, min=0.01, max=1.0, step=0.01, description="Nucleus p"),
        "min_p": ipywidgets.FloatSlider(0.0, min=0.0, max=1.0, step=0.01, description="Min-p"),
    }
    button = ipywidgets.Button(description="Continue")
    table, said = ipywidgets.HTML(), ipywidgets.HTML()
    known: dict[str, Tensor] = {}

    def filters() -> Filters:
        return filters_from(**{name: slider.value for name, slider in settings.items()})

    def show(change: object = None) -> None:
        try:
            if text.value not in known:
                known.clear()
                known[text.value] = next_token(text.value)
            table.value = distribution_table(text.value, known[text.value], filters(), decode, top=top)
        except ValueError as error:
            table.value = f"<p>{html.escape(str(error))}</p>"

    def go_on(clicked: object) -> None:
        try:
            said.value = _said(text.value, generate(text.value, filters(), generator))
        except ValueError as error:
            said.value = f"<p>{html.escape(str(error))}</p>"

    for control in (text, *settings.values()):
        control.observe(show, names="value")
    button.on_click(go_on)
    show()
    return Controls(table.value, ipywidgets.VBox([text, *settings.values(), button, said, table]))


def filters_from(temperature: float = 1.0, k: int = 0, p: float = 1.0, min_p: float = 0.0) -> Filters:
    """Return the filters in their usual order, without those that change nothing."""
    chosen: list[tuple[bool, Callable[[], Filter]]] = [
        (temperature != 1, lambda: Temperature(temperature)),
        (k != 0, lambda: TopK(k)),
        (p != 1, lambda: Nucleus(p)),
        (min_p != 0, lambda: MinP(min_p)),
    ]
    return tuple(make() for used, make in chosen if used)


def distribution_table(
    prompt: str, logits: Tensor, filters: Sequence[Filter], decode: Callable[[list[int]], str], *, top: int = 12
) -> str:
    """Return the `top` most probable next tokens in HTML, with their probabilities before and after the filters.

    `logits` are of shape (V,). Below: how many tokens survive, and the entropies in nats.
    """
    before = logits.detach().cpu().double().log_softmax(0)
    after = before
    for apply in filters:
        after = apply(after, torch.empty(0, dtype=torch.long)).log_softmax(0)
    ranked = before.sort(descending=True, stable=True).indices[:top].tolist()
    shares = zip(ranked, before[ranked].exp().tolist(), after[ranked].exp().tolist(), strict=True)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(visible_text(decode([i])))}</th><td>{100 * old:.1f}%</td>'
        f"<td>{100 * new:.1f}%</td></tr>"
        for i, old, new in shares
    )
    return (
        f"<p>After “{html.escape(prompt)}”, {_listed(filters)}:</p>\n"
        f'<table><tr><th scope="col">token</th><th scope="col">before</th><th scope="col">after</th></tr>{rows}</table>'
        f"\n<p>{int(after.isfinite().sum()):,} of {len(after):,} tokens survive; "
        f"entropy {_entropy(before):.2f} before, {_entropy(after):.2f} nats after.</p>"
    )


def _listed(filters: Sequence[Filter]) -> str:
    return f"filters {', '.join(html.escape(repr(one)) for one in filters)}" if filters else "no filter"


def _entropy(logprobs: Tensor) -> float:
    return float(torch.special.entr(logprobs.exp()).sum())


def _said(prompt: str, continuation: str) -> str:
    return f"<p>{html.escape(prompt)}<strong>{html.escape(continuation)}</strong></p>"
