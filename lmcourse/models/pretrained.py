"""Real pretrained models: the course's two, from its assets, and any of their families from a folder or the hub.

SmolLM2 (a Llama, 135 M parameters, 4 bits each) is turned into float32 once, about 5 s, and kept in the folder that
`weight_cache` names. Chapter: transformer.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from lmcourse import assets
from lmcourse.models.checkpoints import Model, from_state
from lmcourse.models.gguf_file import read_gguf
from lmcourse.models.heads import mean_pool
from lmcourse.models.hub import checkpoint_folder, read_checkpoint
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.transformer import Transformer
from lmcourse.models.weight_cache import Weights, cached
from lmcourse.tokenization.added_tokens import AddedToken
from lmcourse.tokenization.base import Tokenizer
from lmcourse.tokenization.bpe import BPE
from lmcourse.tokenization.decoders import ByteLevelDecoder
from lmcourse.tokenization.pre_tokenizers import ByteLevel, Digits

_CONTROL = 3  # GGUF's token type of special tokens


def load(name: str | Path, *, dtype: torch.dtype = torch.float32) -> Model:
    """A pretrained model in eval mode, its weights in `dtype`.

    `name`: "smollm2" (a decoder), "minilm" (an encoder without a head: use `.body`), a folder with `config.json` and
    safetensors, or OWNER/NAME on the hub, which is downloaded. Families: see `checkpoints.from_state`. ValueError or
    FileNotFoundError says what is wrong with a checkpoint; `MissingAssetError` if an asset must be installed.
    """
    if not dtype.is_floating_point:
        raise ValueError(f"dtype must be of floating point, not {dtype}")
    smollm2 = name == "smollm2"
    weights = cached(assets.path("smollm2"), read_gguf) if smollm2 else read_checkpoint(_folder(name))
    return from_state(*weights).to(dtype)


def load_tokenizer(name: str | Path) -> Tokenizer:
    """The tokenizer of a model that `load` knows: "smollm2" (byte-level BPE, 49,152 tokens), "minilm" (WordPiece,
    30,522 tokens), or the `tokenizer.json` of a folder or of OWNER/NAME on the hub.
    """
    return _of_asset(name) if name in ("smollm2", "minilm") else Tokenizer.load(_folder(name) / "tokenizer.json")


@torch.no_grad()
def sentence_embeddings(
    model: LanguageModel | Transformer,
    tokenizer: Tokenizer,
    texts: list[str],
    *,
    batch_size: int = 32,
    max_length: int = 256,
) -> Tensor:
    """The mean state of each text's tokens, scaled to length 1 (Reimers & Gurevych 2019): N texts to (N, C).

    Texts are cut to `max_length` tokens with their special tokens (256 is MiniLM's), then padded on the right.
    ValueError for a text without tokens.
    """
    body, closing = model if isinstance(model, Transformer) else model.body, len(tokenizer.template[1])
    if batch_size < 1 or max_length <= closing:
        raise ValueError(f"batch_size {batch_size} must be at least 1, max_length {max_length} more than {closing}")
    rows = [_cut(ids, max_length, closing) for ids in tokenizer.encode_batch(texts)]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))  # texts of similar length need little padding
    found = body.embedding.tokens.weight.new_empty(len(rows), body.config.d_model)
    for start in range(0, len(rows), batch_size):
        chosen = order[start : start + batch_size]
        ids = pad_sequence([torch.tensor(rows[i], dtype=torch.long) for i in chosen], batch_first=True).to(found.device)
        attend = torch.arange(ids.shape[1]) < torch.tensor([[len(rows[i])] for i in chosen])  # (B, T)
        attend = attend.to(found.device)
        found[chosen] = functional.normalize(mean_pool(body(ids, attend=attend).states, attend), dim=-1)
    return found


def _cut(ids: list[int], length: int, closing: int) -> list[int]:
    """The first tokens of a text, and the special ones that close it."""
    return ids if len(ids) <= length else ids[: length - closing] + ids[len(ids) - closing :]


def _folder(name: str | Path) -> Path:
    return assets.path("minilm") if name == "minilm" else checkpoint_folder(name)


@lru_cache(maxsize=2)
def _of_asset(name: str) -> Tokenizer:
    return _from_gguf() if name == "smollm2" else Tokenizer.load(assets.path("minilm", "tokenizer.json"))


def _from_gguf() -> Tokenizer:
    fields, _ = cached(assets.path("smollm2"), _read_vocabulary, part="tokenizer")
    tokens, merges, kinds = (fields[key] for key in ("tokens", "merges", "token_type"))
    left_and_right = ((left, right) for left, right in (merge.split(" ") for merge in merges))
    # its vocabulary lacks some bytes, which its reference implementation leaves out
    model = BPE({token: i for i, token in enumerate(tokens)}, tuple(left_and_right), skip_unknown=True)
    added = tuple(AddedToken(tokens[i], i) for i, kind in enumerate(kinds) if kind == _CONTROL)
    return Tokenizer(model, (), (Digits(individual_digits=True), ByteLevel()), (ByteLevelDecoder(),), added)


def _read_vocabulary(path: Path) -> Weights:
    """Tokens, merges and kinds of tokens: the reader needs seconds for these long lists."""
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    return {key: fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "merges", "token_type")}, {}
