"""Jobs that train the recipe of `experiments/recipe.py`, or the GPT-2-style one, for so many processor seconds."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from benchmarks.job import Outcome
from benchmarks.training_jobs import clock
from experiments.recipe import fresh, gpt2_settings, gpt2_style, settings, small
from lmcourse.data import reviews
from lmcourse.data.windows import windows
from lmcourse.models.language_model import LanguageModel
from lmcourse.objectives import CausalLM
from lmcourse.recorded import review_rows, tokenizer
from lmcourse.recorded.runs import LENGTH
from lmcourse.training import Rows, TrainingConfig, evaluate, train
from lmcourse.training.monitor import Silent

ROWS, PACE = "rows.safetensors", "pace.json"
Recipe = tuple[LanguageModel, Callable[[int], TrainingConfig]]


def gather(scratch: Path, train_rows: int | None, held_out: int, **_: Any) -> Outcome:
    """Write the review windows, one token longer than what is read."""
    found = {name: _windows(name, rows) for name, rows in (("train", train_rows), ("validation", held_out))}
    save_file(found, scratch / ROWS)
    return Outcome(0)


def pace(
    scratch: Path, baseline: tuple[int, int], recipe: tuple[int, int], blocks: int, block: int, **_: Any
) -> Outcome:
    """Write the processor seconds of a step of each recipe: the median over blocks of steps, taken in turn."""
    rows, kinds = _rows(scratch, "train"), {"baseline": _baseline(*baseline), "recipe": _recipe(*recipe)}
    found: dict[str, list[float]] = {name: [] for name in kinds}
    for turn in range(blocks + 1):
        for name, (model, config) in kinds.items():
            began = time.process_time()
            train(model, CausalLM(), rows, config(block), monitor=Silent())
            if turn:  # libraries prepare themselves in the first steps
                found[name].append((time.process_time() - began) / block)
    (scratch / PACE).write_text(json.dumps({name: median(seconds) for name, seconds in found.items()}))
    return Outcome(0)


def baseline(scratch: Path, baseline: tuple[int, int], budget: float, **_: Any) -> Outcome:
    """GPT-2's recipe for the whole time."""
    return _run(scratch, _baseline(*baseline), budget, "baseline")


def recipe(scratch: Path, recipe: tuple[int, int], budget: float, share: float, **_: Any) -> Outcome:
    """The course's recipe for a share of it."""
    return _run(scratch, _recipe(*recipe), budget * share, "recipe")


def _run(scratch: Path, chosen: Recipe, seconds: float, name: str) -> Outcome:
    (model, config), rows = chosen, _rows(scratch, "train")
    steps = max(1, round(seconds / json.loads((scratch / PACE).read_text())[name]))
    outcome = Outcome(steps * config(steps).batch_size * LENGTH)
    with clock(outcome):
        train(model, CausalLM(), rows, config(steps), monitor=Silent())
    loss = evaluate(model, CausalLM(), _rows(scratch, "validation"), config(steps))
    outcome.figures = {"loss": loss, "steps": steps}
    return outcome


def _baseline(d_model: int, n_layers: int) -> Recipe:
    return gpt2_style(d_model, n_layers), gpt2_settings


def _recipe(d_model: int, n_layers: int) -> Recipe:
    return fresh(small(d_model, n_layers), 0, tied=False), partial(settings, betas=(0.9, 0.99))


def _rows(scratch: Path, name: str) -> Rows:
    return Rows(load_file(scratch / ROWS)[name])


def _windows(split: str, rows: int | None) -> torch.Tensor:
    if rows is None:
        return review_rows(split, LENGTH + 1).ids
    texts = itertools.islice(reviews.texts(split), rows)  # no review is shorter than that
    ids = tokenizer().encode_batch(texts, add_special_tokens=False)
    found = windows(ids, LENGTH + 1, separator=tokenizer().token_to_id("<end>"))
    return found[:rows].clone()
