"""In-context learning to play with: template, number and labels of the demonstrations, and where each question falls.

The ES module beside this file computes the same threshold, accuracy and ranking in the browser; `tests/widgets` holds
it against the functions here. Chapter: `book/prompting.md`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from math import exp, isfinite, log
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from lmcourse.widgets.base import Figure

_DIGITS = 3  # of a log-odds


class Cell(NamedTuple):
    """What a model said under one template, with `shots` demonstrations whose labels are `labels`.

    `odds` (S, Q): log p(positive) - log p(negative) of Q questions behind S sets of demonstrations; `free` (S, M): the
    same of M inputs without content; `prompts` (S): how each prompt begins. With 0 shots S is 1 and `labels` is "".
    """

    template: str
    labels: str
    shots: int
    odds: Sequence[Sequence[float]]
    free: Sequence[Sequence[float]]
    prompts: Sequence[str]


def threshold(free: Sequence[float]) -> float:
    """The log-odds above which a question is positive after contextual calibration: those of the mean probability that
    inputs without content get (Zhao et al. 2021)."""
    p = sum(1 / (1 + exp(-x)) for x in free) / len(free)
    return log(p / (1 - p))


def accuracy(odds: Sequence[float], truth: Sequence[bool], at: float = 0.0) -> float:
    """The share of questions on the right side of `at`: positive means above."""
    return sum((x > at) == label for x, label in zip(odds, truth, strict=True)) / len(truth)


def ranking(odds: Sequence[float], truth: Sequence[bool]) -> float:
    """The probability that a positive question has higher odds than a negative one, a tie counting half (the AUC)."""
    pairs = [
        (p, n) for p, yes in zip(odds, truth, strict=True) if yes for n, no in zip(odds, truth, strict=True) if not no
    ]
    return sum((p > n) + (p == n) / 2 for p, n in pairs) / len(pairs)


class InContextLearning(Figure):
    """The figure: `InContextLearning(questions, truth, cells)`, with the texts of Q questions and whether each is
    positive.

    Opens at the first template and labels and the most shots. ValueError unless every template has a cell for the same
    numbers of shots and kinds of labels, and every cell finite odds for all questions, inputs without content, prompts.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "In-context learning explorer"

    def __init__(self, questions: Sequence[str], truth: Sequence[bool], cells: Sequence[Cell]) -> None:
        self._questions, self._truth, self._cells = list(questions), [bool(x) for x in truth], list(cells)
        self._templates, self._labels = (
            list(dict.fromkeys(name for cell in cells if (name := getattr(cell, field))))
            for field in ("template", "labels")
        )
        self._shots = sorted({cell.shots for cell in cells})
        if len(self._questions) != len(self._truth) or len(set(self._truth)) != 2:
            raise ValueError(f"{len(self._questions)} questions of both kinds are needed, got {self._truth}")
        wanted = sorted(
            (template, labels if shots else "", shots)
            for template in self._templates
            for shots in self._shots
            for labels in (self._labels if shots else [""])
        )
        found = sorted((cell.template, cell.labels, cell.shots) for cell in cells)
        if not found or found != wanted:
            raise ValueError(f"one cell is needed for each of {wanted}, got {found}")
        for cell in cells:
            _check(cell, len(self._truth))

    def data(self) -> dict[str, Any]:
        """Return questions, truth and cells, and the choices in their order."""
        return {
            "questions": self._questions,
            "truth": self._truth,
            "templates": self._templates,
            "labels": self._labels,
            "shots": self._shots,
            "cells": [
                cell._asdict()
                | {"odds": _rounded(cell.odds), "free": _rounded(cell.free), "prompts": list(cell.prompts)}
                for cell in self._cells
            ],
        }

    def fallback(self) -> str:
        """Return a table: each cell with its accuracies and its ranking, the means over its sets."""
        titles = ("Template", "Shots", "Labels", "Accuracy", "Calibrated", "Ranking")
        head = "".join(f'<th scope="col">{title}</th>' for title in titles)
        rows = []
        for cell in self._cells:
            sets = list(zip(_rounded(cell.odds), _rounded(cell.free), strict=True))
            raw, calibrated, ranks = (
                sum(values) / len(sets)
                for values in zip(
                    *(
                        (
                            accuracy(odds, self._truth),
                            accuracy(odds, self._truth, threshold(free)),
                            ranking(odds, self._truth),
                        )
                        for odds, free in sets
                    ),
                    strict=True,
                )
            )
            names = f"<td>{html.escape(cell.template)}</td><td>{cell.shots}</td><td>{html.escape(cell.labels)}</td>"
            rows.append(
                f"<tr>{names}<td>{100 * raw:.0f}%</td><td>{100 * calibrated:.0f}%</td><td>{ranks:.2f}</td></tr>"
            )
        return (
            f'<div class="lm-wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>\n'
            '<p class="lm-note">With scripts, each question is drawn at its log-odds.</p>'
        )

    def __repr__(self) -> str:
        return f"InContextLearning({self._templates}, shots {self._shots}, labels {self._labels})"


def _rounded(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [[round(float(x), _DIGITS) for x in row] for row in rows]


def _check(cell: Cell, questions: int) -> None:
    sizes = [len(row) for row in cell.odds], [len(row) for row in cell.free], len(cell.prompts)
    same = bool(cell.odds) and len(cell.odds) == len(cell.free) == len(cell.prompts)
    values = [x for row in (*cell.odds, *cell.free) for x in row]
    if not same or set(sizes[0]) != {questions} or 0 in sizes[1] or not all(map(isfinite, values)):
        raise ValueError(f"{cell[:3]} needs finite odds of {questions} questions for each set, got sizes {sizes}")
