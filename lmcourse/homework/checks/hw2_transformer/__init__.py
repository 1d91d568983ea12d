"""hw2_transformer: masks, layer norm, attention in one head and in many, rotary positions, a whole block, its size.

Chapter: `book/transformer.md`.
"""

from lmcourse.homework.checks.hw2_transformer.attention import MASKED_ATTENTION
from lmcourse.homework.checks.hw2_transformer.block import LLAMA_BLOCK
from lmcourse.homework.checks.hw2_transformer.heads import MULTI_HEAD
from lmcourse.homework.checks.hw2_transformer.masks import ATTENTION_MASK
from lmcourse.homework.checks.hw2_transformer.norms import LAYER_NORM
from lmcourse.homework.checks.hw2_transformer.parameters import GPT_PARAMETERS
from lmcourse.homework.checks.hw2_transformer.rotary import ROTARY
from lmcourse.homework.checks.hw2_transformer.sparse import CHOOSE_MASKS

QUESTIONS = (
    ATTENTION_MASK,
    LAYER_NORM,
    MASKED_ATTENTION,
    MULTI_HEAD,
    ROTARY,
    LLAMA_BLOCK,
    GPT_PARAMETERS,
    CHOOSE_MASKS,
)
