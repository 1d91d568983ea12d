"""The claims of the lectures, and the one way in which a lab settles one (ledger page: `book/claims.md`).

A claim is a statement of the notes with an id. A lab measures it, states the relations that make it true as named
checks, and calls `settle`; the verdict follows from the checks and is never written by hand.
"""

import html
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, SupportsFloat

HOLDS, IN_PART, NOT_SEEN = "holds", "holds in part", "not seen at this scale"
KINDS = {
    "E": "exact",
    "N": "numeric identity or count",
    "M": "measured here",
    "R": "measured on a real pretrained model",
}
#: Key of the output's metadata that carries the settled claim. It is metadata and not a mime type of its own because
#: the book build warns about every mime type that it cannot draw.
RECORD = "application/vnd.lmcourse.claim+json"


@dataclass(frozen=True)
class Claim:
    """One statement of the lectures: its id, kind (a key of `KINDS`), part of the course, room (chapter), wording."""

    id: str
    kind: str
    part: str
    room: str
    statement: str

    @property
    def anchor(self) -> str:
        """The HTML id of the cell output that settles the claim: `claim-tok1`."""
        return f"claim-{self.id.lower()}"


@dataclass(frozen=True)
class Settled:
    """What a lab found: the verdict, the figure with its unit, spread and number of seeds as text, and the checks."""

    id: str
    verdict: str
    figure: str
    checks: dict[str, bool]
    why: str | None

    def _ipython_display_(self) -> None:
        # `settle` has shown the card; as the last value of a cell it would be shown again.
        return None


def _load() -> dict[str, Claim]:
    text = files("lmcourse").joinpath("claims.toml").read_text(encoding="utf-8")
    return {entry["id"]: Claim(**entry) for entry in tomllib.loads(text)["claim"]}


#: Every claim of the course by id, in the order of the course.
CLAIMS: dict[str, Claim] = _load()


def settle(
    id: str,
    *,
    checks: Mapping[str, bool],
    figure: str | SupportsFloat,
    unit: str = "",
    spread: SupportsFloat | None = None,
    seeds: int | None = None,
    why: str | None = None,
) -> Settled:
    """Give the verdict on claim `id` and, in a notebook, show it as a card that the ledger reads.

    All checks true: "holds"; some: "holds in part"; none: "not seen at this scale". A verdict short of "holds" needs
    `why`, one sentence. `figure` is the measured quantity in `unit`, `spread` its standard deviation over `seeds` runs;
    numbers are shown with four significant digits. Raises AssertionError if a check fails without `why`, or if every
    check holds and `why` still excuses a failure; ValueError for an unknown id, no checks, a check that is not a bool,
    or several seeds without a spread.
    """
    claim = _find(id)
    results = _booleans(id, checks)
    if seeds is not None and (seeds < 1 or (seeds > 1 and spread is None)):
        raise ValueError(f"{id}: {seeds} seeds with spread {spread}: several seeds need the spread over them")
    shown = _figure(figure, unit, spread, seeds)
    failed = [name for name, holds in results.items() if not holds]
    if failed and not why:
        raise AssertionError(f"{id} does not hold: {'; '.join(failed)} (measured: {shown})")
    if why and not failed:
        raise AssertionError(f"{id} holds: every check passes, so the excuse is stale: {why!r}")
    verdict = HOLDS if not failed else IN_PART if len(failed) < len(results) else NOT_SEEN
    settled = Settled(id, verdict, shown, results, why)
    _display(claim, settled)
    return settled


def _find(id: str) -> Claim:
    if id not in CLAIMS:
        raise ValueError(f"unknown claim {id!r}; the list is lmcourse/claims.toml")
    return CLAIMS[id]


def _booleans(id: str, checks: Mapping[str, bool]) -> dict[str, bool]:
    if not checks:
        raise ValueError(f"{id}: no checks: {checks!r}")
    for name, value in checks.items():
        # NumPy's bool is not a subclass of Python's; importing NumPy for its name alone would be the heavier way.
        if type(value).__name__ not in ("bool", "bool_"):
            raise ValueError(f"{id}: check {name!r} is {value!r}, not a bool")
    return {name: bool(value) for name, value in checks.items()}


def _number(value: SupportsFloat) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{float(value):.4g}"


def _figure(figure: str | SupportsFloat, unit: str, spread: SupportsFloat | None, seeds: int | None) -> str:
    shown = figure if isinstance(figure, str) else _number(figure)
    if spread is not None:
        shown += f" ± {float(spread):.2g}"
    if unit:
        shown += f"{'' if unit == '%' else ' '}{unit}"
    return shown + (f" ({seeds} seed{'s' if seeds > 1 else ''})" if seeds is not None else "")


def _text(claim: Claim, settled: Settled) -> str:
    lines = [f"{claim.id} {settled.verdict}: {settled.figure}"]
    lines += [f"  [{'x' if holds else ' '}] {name}" for name, holds in settled.checks.items()]
    return "\n".join(lines + ([f"  {settled.why}"] if settled.why else []))


def _html(claim: Claim, settled: Settled) -> str:
    # Colours are inherited, so that the card reads in the light and the dark theme; the verdict is a word, not a hue.
    items = "".join(f"<li>{'✓' if holds else '✗'} {html.escape(name)}</li>" for name, holds in settled.checks.items())
    why = f'<div class="claim-why">{html.escape(settled.why)}</div>' if settled.why else ""
    return (
        f'<div id="{claim.anchor}" class="claim-card" style="border:1px solid;border-left-width:.4em;'
        'border-radius:.25em;padding:.6em .8em;margin:.5em 0;max-width:46em;scroll-margin-top:5em">'
        f"<div><strong>{claim.id}</strong> {html.escape(claim.statement)}</div>"
        f'<div style="margin-top:.4em"><strong>{settled.verdict}</strong>: {html.escape(settled.figure)}</div>'
        f'{why}<ul style="list-style:none;margin:.4em 0 0;padding:0">{items}</ul></div>'
    )


def _display(claim: Claim, settled: Settled) -> None:
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        return
    bundle: dict[str, Any] = {"text/plain": _text(claim, settled), "text/html": _html(claim, settled)}
    display(bundle, raw=True, metadata={RECORD: asdict(settled)})
