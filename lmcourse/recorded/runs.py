"""The recorded runs: models that were trained for longer than a lab may last, with the record of how.

Chapter: pretraining. `python -m experiments run NAME` in the repository trains one again and writes both files; a lab
loads the model and recomputes the figures that it reports.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from lmcourse.data import reviews
from lmcourse.data.windows import windows
from lmcourse.recorded.adapted import Adapted, load_kept
from lmcourse.recorded.store import Storable
from lmcourse.tokenization.base import Tokenizer
from lmcourse.training.config import Rows

FOLDER = Path(str(files("lmcourse.recorded"))) / "files"
LENGTH = 128


class Recorded(NamedTuple):
    """A trained model in eval mode, and its record: configuration, seed, curve, figures, hardware, time, versions."""

    model: Storable | Adapted
    record: dict[str, Any]


def names() -> tuple[str, ...]:
    """The recorded runs."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.safetensors")))


def load(name: str) -> Recorded:
    """The model of a recorded run with its record; ValueError for another name."""
    if name not in names():
        raise ValueError(f"there is no recorded run {name!r}; there are {', '.join(names()) or 'none'}")
    record = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Recorded(load_kept(FOLDER / f"{name}.safetensors"), record)


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """The tokenizer of all recorded runs: byte-level BPE of the training reviews, 2,048 tokens, those of `SPECIAL`
    first."""
    return Tokenizer.load(FOLDER / "tokenizer.json")


@lru_cache(maxsize=4)
def review_rows(split: str, length: int = LENGTH) -> Rows:
    """The reviews of a split as windows of `length` tokens, `<end>` after each review; the training part takes some
    15 s."""
    ours = tokenizer()
    documents = ours.encode_batch(reviews.texts(split), add_special_tokens=False)
    return Rows(windows(documents, length, separator=ours.token_to_id("<end>")))
