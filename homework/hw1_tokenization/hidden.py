"""Hidden checks of hw1_tokenization: cases that no student sees. Not part of the wheel.

Random cases need no entry: they are drawn anew for each salt.
"""

from lmcourse.homework.questions import Example
from lmcourse.tokenization.byte_level import ALPHABET, to_visible

EXTRA = {
    "count_pairs": [Example(({("x", "x", "x", "x"): 2, ("x",): 9},), {("x", "x"): 6})],
    "bpe_merge": [Example((["x", "y", "x", "y", "x"], ("x", "y")), ["xy", "xy", "x"])],
    "bpe_learn": [Example(({"aaa_": 2, "b_": 2}, 3), [("a", "a"), ("aa", "a"), ("aaa", "_")])],
    "bpe_segment": [Example(("aaaa_", [("a", "a"), ("aa", "aa")]), ["aaaa", "_"])],
    "wordpiece_segment": [Example(("abab", ["ab", "aba", "##ab", "##b"]), ["aba", "##b"])],
    "unigram_segment": [Example(("aab", {"a": -1.0, "aa": -1.5, "ab": -1.75, "b": -2.0}), (["a", "ab"], -2.75))],
    "bytes_to_text": [Example(([to_visible("⅓ of 7 €")], ALPHABET), "⅓ of 7 €")],
}
