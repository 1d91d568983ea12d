"""Tokenization: text to integers and back, by five algorithms behind one interface.

`bpe`, `wordpiece`, `unigram`, `word` and `char` each have `train(texts, vocab_size, ...) -> Tokenizer`.
Chapter: `book/tokenization.md`.
"""

from lmcourse.tokenization.base import Encoding, Tokenizer

__all__ = ["Encoding", "Tokenizer"]
