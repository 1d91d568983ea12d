"""Prompt tuning: learned vectors stand before the input as if they were the embeddings of tokens.

    x = [p_1 ... p_P; e(x_1) ... e(x_T)],   p of P x C trained, all else frozen

P virtual tokens cost P C parameters, the fewest of all methods. They are P new rows at the end of the embedding table,
so a prompt is a text in tokens V, V + 1, ... that the model alone can read. Before an encoder-decoder it stands before
the source, and the decoder reads its states too. Chapter: peft. Source: Lester et al. 2021, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from lmcourse.models.cache import KVCache
from lmcourse.models.language_model import EncoderDecoder
from lmcourse.models.positions import positions_of
from lmcourse.models.transformer import Hidden, Transformer
from lmcourse.peft.base import begin
from lmcourse.peft.parts import Model, replaced, stacks
from lmcourse.peft.virtual import Extended, check_count, chosen_tokens, left_aligned, model_of_row, seen_by_all


@dataclass(frozen=True)
class PromptTuning:
    """Learn `length` vectors before the input.

    They start as the embeddings of `tokens`, over and over, or of random ones if there are none (section 3.2 of the
    paper). ValueError for fewer than 1 virtual token, or tokens outside of the vocabulary.
    """

    length: int = 16
    tokens: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_count(self.length)

    def apply(self, model: Model, *, generator: torch.Generator) -> Model:
        """See `Method.apply`."""
        found = begin(model, self)
        for name, body in stacks(found).items():
            if body.config.cross_attention:
                continue  # the prompt stands before the source, which the encoder reads
            table = body.embedding.tokens.weight
            tokens = chosen_tokens(self.tokens, self.length, len(table), generator).to(table.device)
            keep = any(isinstance(m, EncoderDecoder) and m.encoder is body for m in found.modules())
            found = replaced(found, name, Prompted(body, Prompt(body.embedding.tokens, table[tokens].clone()), keep))
        return found


class Prompt(nn.Module):
    """An embedding table (V, C) with P more rows, the virtual tokens; only they learn."""

    def __init__(self, tokens: nn.Embedding, vectors: Tensor) -> None:
        super().__init__()
        self.weight, self.vectors = tokens.weight, nn.Parameter(vectors)

    @property
    def length(self) -> int:
        """P."""
        return self.vectors.shape[0]

    def forward(self, ids: Tensor) -> Tensor:
        """Ids (B, T), the virtual ones from V on, to (B, T, C)."""
        return _embedded(ids, self.weight, self.vectors)

    def virtual(self, rows: int) -> tuple[Tensor, Tensor | None]:
        """The ids of the virtual tokens (B, P), and which are real (B, P), None if all are."""
        first, count = self.weight.shape[0], self.vectors.shape[0]
        return torch.arange(first, first + count, device=self.weight.device).expand(rows, -1), None


class PromptOfRow(nn.Module):
    """An embedding table with the rows of K prompts, and which of them each row of a batch reads."""

    vectors: Tensor
    real: Tensor | None

    def __init__(self, prompts: Sequence[Prompt], rows: Sequence[int]) -> None:
        super().__init__()
        together, real = left_aligned([each.vectors.detach() for each in prompts], dim=0)  # (K, P, C)
        self.weight, self.rows, self.length = prompts[0].weight, tuple(rows), together.shape[1]
        self.register_buffer("vectors", together.flatten(0, 1))
        self.register_buffer("real", real)

    def forward(self, ids: Tensor) -> Tensor:
        """Ids (B, T), the virtual ones from V on, to (B, T, C)."""
        return _embedded(ids, self.weight, self.vectors)

    def virtual(self, rows: int) -> tuple[Tensor, Tensor | None]:
        """The ids of each row's virtual tokens (B, P), and which are real (B, P), None if all are."""
        chosen = model_of_row(self.rows, rows).to(self.weight.device)
        first = self.weight.shape[0] + chosen[:, None] * self.length
        ids = first + torch.arange(self.length, device=self.weight.device)
        return ids, None if self.real is None else self.real[chosen]


class Prompted(Extended):
    """A stack that reads a prompt of virtual tokens first; their states are left out unless `keep`."""

    def __init__(self, body: Transformer, prompt: Prompt | PromptOfRow, keep: bool = False) -> None:
        super().__init__(body, prompt.length)
        self.embedding.tokens, self.keep = prompt, keep  # type: ignore[assignment]

    @property
    def prompt(self) -> Prompt:
        """The table with the virtual tokens."""
        return self.embedding.tokens  # type: ignore[return-value]

    def forward(
        self,
        ids: Tensor,
        *,
        attend: Tensor | None = None,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
        segments: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Hidden:
        """As `Transformer.forward`; a cache that is handed in holds the virtual tokens already, or no token yet."""
        cache, count = self.known(cache), self.count
        virtual, real = self.prompt.virtual(len(ids))
        mask = None if mask is None else seen_by_all(mask, count)
        positions = None if positions is None else positions + _or_all(real, virtual).sum(dim=1, keepdim=True)
        if ids.numel() and int(ids.max()) >= self.config.vocab_size:
            raise ValueError(f"token ids must be below {self.config.vocab_size}, not {int(ids.max())}")
        if cache.layers:
            return super().forward(ids, attend=attend, mask=mask, positions=positions, segments=segments, cache=cache)
        if attend is not None or real is not None:
            attend = torch.cat([_or_all(real, virtual), _or_all(attend, ids)], dim=1)
        if positions is not None:
            positions = torch.cat([positions_of(_or_all(real, virtual)), positions], dim=1)
        states, cache = super().forward(
            torch.cat([virtual, ids], dim=1),
            attend=attend,
            mask=None if mask is None else _seeing_each_other(mask, count),
            positions=positions,
            segments=None if segments is None else functional.pad(segments, (count, 0)),
            cache=replace(cache, virtual=count),
        )
        return Hidden(states if self.keep else states[:, count:], cache)


def _embedded(ids: Tensor, table: Tensor, vectors: Tensor) -> Tensor:
    """The rows of a table (V, C) and, from id V on, of the vectors (P, C)."""
    more = ids - table.shape[0]
    found = functional.embedding(ids.clamp(max=table.shape[0] - 1), table)
    return torch.where((more >= 0).unsqueeze(-1), functional.embedding(more.clamp(min=0), vectors), found)


def _or_all(real: Tensor | None, like: Tensor) -> Tensor:
    return torch.ones_like(like, dtype=torch.bool) if real is None else real


def _seeing_each_other(mask: Tensor, count: int) -> Tensor:
    """A mask (..., T, P + T) with rows for the virtual tokens, which see each other only, so that no token learns of
    one that it may not see: (..., P + T, P + T)."""
    rows = torch.zeros_like(mask[..., :1, :]).expand(*mask.shape[:-2], count, -1).clone()
    rows[..., :count] = True
    return torch.cat([rows, mask], dim=-2)
