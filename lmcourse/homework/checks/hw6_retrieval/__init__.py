"""hw6_retrieval: passages, measures of a ranking, fusion, BM25, support, cells, prompts with passages, a search.

Chapter: `book/retrieval.md`.
"""

from lmcourse.homework.checks.hw6_retrieval.cells import SEARCH_CELLS
from lmcourse.homework.checks.hw6_retrieval.fusion import FUSE_RANKINGS
from lmcourse.homework.checks.hw6_retrieval.passages import CHUNK_TEXT
from lmcourse.homework.checks.hw6_retrieval.prompts import GROUNDED_PROMPT
from lmcourse.homework.checks.hw6_retrieval.rankings import RETRIEVAL_SCORES
from lmcourse.homework.checks.hw6_retrieval.search import SEARCH_REVIEWS
from lmcourse.homework.checks.hw6_retrieval.support import ANSWER_SUPPORT
from lmcourse.homework.checks.hw6_retrieval.words import BM25_SCORES

QUESTIONS = (
    CHUNK_TEXT,
    RETRIEVAL_SCORES,
    FUSE_RANKINGS,
    ANSWER_SUPPORT,
    BM25_SCORES,
    SEARCH_CELLS,
    GROUNDED_PROMPT,
    SEARCH_REVIEWS,
)
