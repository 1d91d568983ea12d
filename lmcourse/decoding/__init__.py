"""Generation: from a model's distribution over the next token to text."""

from lmcourse.decoding.base import Choice, Filter, Strategy
from lmcourse.decoding.beam import Beam
from lmcourse.decoding.filters import MinP, Nucleus, RepetitionPenalty, Temperature, TopK
from lmcourse.decoding.generate import Generated, generate
from lmcourse.decoding.greedy import Greedy
from lmcourse.decoding.padding import left_pad
from lmcourse.decoding.sampling import Sampling

__all__ = [
    "Beam",
    "Choice",
    "Filter",
    "Generated",
    "Greedy",
    "MinP",
    "Nucleus",
    "RepetitionPenalty",
    "Sampling",
    "Strategy",
    "Temperature",
    "TopK",
    "generate",
    "left_pad",
]
