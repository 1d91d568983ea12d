"""Generation: from a model's distribution over the next token to text."""

from lmcourse.decoding.base import Choice, Filter, Strategy
from lmcourse.decoding.beam import Beam
from lmcourse.decoding.drafts import Draft, LookupDraft, ModelDraft
from lmcourse.decoding.filters import MinP, Nucleus, RepetitionPenalty, Temperature, TopK
from lmcourse.decoding.generate import Generated, generate
from lmcourse.decoding.greedy import Greedy
from lmcourse.decoding.padding import left_pad
from lmcourse.decoding.sampling import Sampling
from lmcourse.decoding.speculative import Speculated, generate_speculative

__all__ = [
    "Beam",
    "Choice",
    "Draft",
    "Filter",
    "Generated",
    "Greedy",
    "LookupDraft",
    "MinP",
    "ModelDraft",
    "Nucleus",
    "RepetitionPenalty",
    "Sampling",
    "Speculated",
    "Strategy",
    "Temperature",
    "TopK",
    "generate",
    "generate_speculative",
    "left_pad",
]
