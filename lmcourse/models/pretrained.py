"""Real pretrained models, read from the course's assets: their tokenizers.

SmolLM2's vocabulary and merges are fields of its GGUF file, MiniLM's lie in the JSON format of `tokenizers`.
"""

from __future__ import annotations

from functools import lru_cache

from lmcourse import assets
from lmcourse.tokenization.added_tokens import AddedToken
from lmcourse.tokenization.base import Tokenizer
from lmcourse.tokenization.bpe import BPE
from lmcourse.tokenization.decoders import ByteLevelDecoder
from lmcourse.tokenization.pre_tokenizers import ByteLevel, Digits

_CONTROL = 3  # GGUF's token type of special tokens


@lru_cache(maxsize=2)
def load_tokenizer(name: str) -> Tokenizer:
    """Return the tokenizer of "smollm2" (byte-level BPE, 49,152 tokens) or "minilm" (WordPiece, 30,522 tokens).

    ValueError for another name; `MissingAssetError` if the asset must be installed.
    """
    if name == "minilm":
        return Tokenizer.load(assets.path("minilm", "tokenizer.json"))
    if name == "smollm2":
        return _from_gguf()
    raise ValueError(f"no tokenizer of the name {name!r}; there are 'smollm2' and 'minilm'")


def _from_gguf() -> Tokenizer:
    from gguf import GGUFReader

    fields = GGUFReader(assets.path("smollm2")).fields
    tokens, merges, kinds = (fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "merges", "token_type"))
    left_and_right = ((left, right) for left, right in (merge.split(" ") for merge in merges))
    # its vocabulary lacks some bytes, which its reference implementation leaves out
    model = BPE({token: i for i, token in enumerate(tokens)}, tuple(left_and_right), skip_unknown=True)
    added = tuple(AddedToken(tokens[i], i) for i, kind in enumerate(kinds) if kind == _CONTROL)
    return Tokenizer(model, (), (Digits(individual_digits=True), ByteLevel()), (ByteLevelDecoder(),), added)
