"""hw4_adaptation: pairs, classes, entities and spans for an encoder; LoRA for each row, prefixes, updates of low rank.

Chapters: `book/fine_tuning.md` and `book/peft.md`.
"""

from lmcourse.homework.checks.hw4_adaptation.answers import ANSWER_SCORES
from lmcourse.homework.checks.hw4_adaptation.classes import CLASSIFY
from lmcourse.homework.checks.hw4_adaptation.entities import ENTITY_F1
from lmcourse.homework.checks.hw4_adaptation.pairs import ENCODE_PAIR
from lmcourse.homework.checks.hw4_adaptation.prefixes import PREFIX_ATTENTION
from lmcourse.homework.checks.hw4_adaptation.rows import LORA_ROWS
from lmcourse.homework.checks.hw4_adaptation.spans import BEST_SPAN
from lmcourse.homework.checks.hw4_adaptation.updates import COMPRESS_UPDATES

QUESTIONS = (
    ENCODE_PAIR,
    CLASSIFY,
    ENTITY_F1,
    BEST_SPAN,
    ANSWER_SCORES,
    LORA_ROWS,
    PREFIX_ATTENTION,
    COMPRESS_UPDATES,
)
