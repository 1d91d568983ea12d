"""The tokenizer of the recorded runs: `python -m experiments.tokenizer` trains it again, to the same bytes."""

from lmcourse.data import reviews
from lmcourse.recorded.runs import FOLDER
from lmcourse.recorded.special import SPECIAL
from lmcourse.tokenization import bpe
from lmcourse.tokenization.base import Tokenizer

SIZE = 2048


def make() -> Tokenizer:
    """Byte-level BPE of the training reviews, the special tokens first."""
    return bpe.train(reviews.texts("train"), SIZE, special_tokens=SPECIAL)


if __name__ == "__main__":
    make().save(FOLDER / "tokenizer.json")
