"""What the rank of LoRA buys: trained parameters, the share of a real update that it could hold, measured accuracy.

The ES module beside this file computes both curves in the browser; `tests/widgets` holds it against the functions here.
Chapter: `book/peft.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite, sqrt
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from lmcourse.widgets.base import Figure

_FIGURES = 4  # of a singular value


class Update(NamedTuple):
    """What full fine-tuning changed in `matrices` matrices of one kind: a name, their shape (M, N), the singular values
    of one of them in falling order, and those of a random matrix of the same shape and norm."""

    name: str
    shape: tuple[int, int]
    matrices: int
    spectrum: Sequence[float]
    random: Sequence[float]


def measured_update(name: str, change: Tensor, *, matrices: int, generator: torch.Generator) -> Update:
    """The `Update` of ΔW (M, N), computed in float64, with a Gaussian matrix drawn from `generator` to compare.

    ValueError unless ΔW is a matrix that is finite and not 0.
    """
    if change.ndim != 2 or not bool(change.isfinite().all()) or not bool(change.any()):
        raise ValueError(f"{name!r} needs a finite matrix that is not 0, got shape {tuple(change.shape)}")
    exact = change.detach().cpu().double()
    noise = torch.randn(exact.shape, generator=generator, dtype=torch.float64)
    noise *= exact.norm() / noise.norm()
    spectrum, random = (torch.linalg.svdvals(matrix).tolist() for matrix in (exact, noise))
    return Update(name, (exact.shape[0], exact.shape[1]), matrices, spectrum, random)


def trained_parameters(updates: Sequence[Update], rank: int) -> int:
    """Return Σ r (M + N) over all matrices, 2dr for each square one; a rank beyond min(M, N) counts as that.

    Hu et al. 2021, section 4.1.
    """
    return sum(count * min(rank, *shape) * sum(shape) for _, shape, count, _, _ in updates)


def reconstruction_error(spectrum: Sequence[float], rank: int) -> float:
    """Return how far the best matrix of that rank stays from one with these singular values, relative to its norm:

    min over rank(X) <= r of ‖ΔW - X‖_F / ‖ΔW‖_F = sqrt(Σ_{i > r} σ_i² / Σ_i σ_i²)   (Eckart and Young 1936).
    """
    squares = [value * value for value in spectrum]
    return sqrt(sum(squares[rank:]) / sum(squares))


class LoraExplorer(Figure):
    """The figure: `LoraExplorer(updates, total=22_000_000, accuracies={1: [0.78, 0.79], 2: ...}, full=[0.8, 0.81])`.

    `total` is the number of parameters of the model, `accuracies[rank]` holds the accuracy of LoRA for each seed,
    `full` that of full fine-tuning. The figure opens at rank `rank`. A matrix of 384 singular values takes 6 kB.
    ValueError without an update, measured ranks or accuracies of full fine-tuning, for spectra that do not fall or do
    not have min(M, N) values, ranks below 1, accuracies outside [0, 1], and a total below what rank 1 trains.
    """

    module: ClassVar[Path] = Path(__file__).with_suffix(".js")
    label: ClassVar[str] = "LoRA explorer"

    def __init__(
        self,
        updates: Sequence[Update],
        *,
        total: int,
        accuracies: Mapping[int, Sequence[float]],
        full: Sequence[float],
        rank: int = 4,
    ) -> None:
        self._updates = [Update(*update) for update in updates]
        self._accuracies = {rank: list(accuracies[rank]) for rank in sorted(accuracies)}
        self._total, self._full, self._rank = total, list(full), rank
        if not self._updates or not self._accuracies or not all([*self._accuracies.values(), self._full]):
            raise ValueError(
                f"{len(self._updates)} updates, accuracies {self._accuracies} and full {self._full}: one of each"
            )
        if min(rank, *self._accuracies) < 1 or total < trained_parameters(self._updates, 1):
            raise ValueError(f"ranks {[rank, *self._accuracies]} and {total} parameters in all are too few")
        if bad := [x for values in [*self._accuracies.values(), self._full] for x in values if not 0 <= x <= 1]:
            raise ValueError(f"accuracies lie in [0, 1], not at {bad}")
        for update in self._updates:
            _check(update)

    def data(self) -> dict[str, Any]:
        """Return the updates with their spectra, the accuracies by rank and those of full fine-tuning."""
        return {
            "updates": [
                {
                    "name": name,
                    "shape": list(shape),
                    "count": count,
                    "spectrum": _rounded(spectrum),
                    "random": _rounded(random),
                }
                for name, shape, count, spectrum, random in self._updates
            ],
            "total": self._total,
            "accuracies": [[rank, values] for rank, values in self._accuracies.items()],
            "full": self._full,
            "rank": self._rank,
        }

    def fallback(self) -> str:
        """Return a table: each measured rank with its parameters, the error for the first matrix and the accuracies."""
        first = self._updates[0]
        titles = ("Rank", "Trained parameters", "Share", f"Error for {first.name}", "Accuracies")
        head = "".join(f'<th scope="col">{title}</th>' for title in titles)
        rows = "".join(
            f"<tr><td>{rank}</td><td>{trained_parameters(self._updates, rank):,}</td>"
            f"<td>{100 * trained_parameters(self._updates, rank) / self._total:.2f}%</td>"
            f"<td>{100 * reconstruction_error(first.spectrum, rank):.1f}%</td><td>{_listed(values)}</td></tr>"
            for rank, values in self._accuracies.items()
        )
        return (
            f'<div class="lm-wide"><table><tr>{head}</tr>{rows}</table></div>\n'
            f"<p>Full fine-tuning of all {self._total:,} parameters: {_listed(self._full)}.</p>\n"
            '<p class="lm-note">With scripts, a slider goes through all ranks.</p>'
        )

    def __repr__(self) -> str:
        return f"LoraExplorer({[update.name for update in self._updates]}, ranks {list(self._accuracies)})"


def _rounded(values: Sequence[float]) -> list[float]:
    return [float(f"{value:.{_FIGURES}g}") for value in values]


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{100 * value:.1f}%" for value in values)


def _check(update: Update) -> None:
    """ValueError unless the spectra are those of such matrices."""
    name, shape, count, *spectra = update
    for values in spectra:
        falls = all(isfinite(a) and a >= b for a, b in pairwise([*values, 0.0]))
        if len(values) != min(shape) or count < 1 or not falls or not values[0] > 0:
            about = f"{count} of shape {tuple(shape)} with {len(values)} values from {list(values[:3])}"
            raise ValueError(f"{name!r} needs min(M, N) singular values in falling order, got {about}")
