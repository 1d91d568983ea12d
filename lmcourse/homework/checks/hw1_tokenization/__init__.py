"""hw1_tokenization: byte-pair encoding from its parts, WordPiece, the unigram model, bytes, one's own vocabulary.

Chapter: `book/tokenization.md`.
"""

from lmcourse.homework.checks.hw1_tokenization.bpe import BPE_LEARN, BPE_SEGMENT
from lmcourse.homework.checks.hw1_tokenization.byte_level import BYTES_TO_TEXT
from lmcourse.homework.checks.hw1_tokenization.pairs import BPE_MERGE, COUNT_PAIRS
from lmcourse.homework.checks.hw1_tokenization.unigram import UNIGRAM_SEGMENT
from lmcourse.homework.checks.hw1_tokenization.vocabulary import CHOOSE_TOKENS
from lmcourse.homework.checks.hw1_tokenization.wordpiece import WORDPIECE_SEGMENT

QUESTIONS = (
    COUNT_PAIRS,
    BPE_MERGE,
    BPE_LEARN,
    BPE_SEGMENT,
    WORDPIECE_SEGMENT,
    UNIGRAM_SEGMENT,
    BYTES_TO_TEXT,
    CHOOSE_TOKENS,
)
