"""hw5_decoding_and_prompting: the distribution of the next token, searches, drafts; labels, demonstrations, votes.

Chapters: `book/decoding.md`, `book/prompting.md`, `book/chain_of_thought.md`.
"""

from lmcourse.homework.checks.hw5_decoding_and_prompting.auto_cot import AUTO_COT_PROMPT
from lmcourse.homework.checks.hw5_decoding_and_prompting.beam import BEAM_SEARCH
from lmcourse.homework.checks.hw5_decoding_and_prompting.drafts import DRAFT_TABLE
from lmcourse.homework.checks.hw5_decoding_and_prompting.labels import LABEL_PROBABILITIES
from lmcourse.homework.checks.hw5_decoding_and_prompting.rationales import MAJORITY_ANSWER
from lmcourse.homework.checks.hw5_decoding_and_prompting.speculative import SPECULATIVE_TOKENS
from lmcourse.homework.checks.hw5_decoding_and_prompting.tail import CUT_TAIL
from lmcourse.homework.checks.hw5_decoding_and_prompting.temperature import TEMPERATURE_PROBABILITIES

QUESTIONS = (
    TEMPERATURE_PROBABILITIES,
    CUT_TAIL,
    BEAM_SEARCH,
    SPECULATIVE_TOKENS,
    LABEL_PROBABILITIES,
    AUTO_COT_PROMPT,
    MAJORITY_ANSWER,
    DRAFT_TABLE,
)
