"""In-context learning at every number of shots in one pass: a causal model reads pairs of question and answer.

    hit_i = [ the greedy continuation of d_1 ... d_i, x_{i+1} is y_{i+1} ],   i = 0, 1, ..., K - 1

No position sees what stands behind it, so the answer of pair i + 1 is asked with i demonstrations, and one pass over
the row gives the whole curve. Chapter: prompting. Source: Brown et al. 2020, section 1 (in-context learning curves).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lmcourse.decoding.reading import check_context
from lmcourse.models.language_model import LanguageModel
from lmcourse.prompting.few_shot import INPUT_OUTPUT, Demonstration, FewShot
from lmcourse.prompting.templates import Template
from lmcourse.tokenization.base import Tokenizer


class _Row(NamedTuple):
    """The ids of a text of K pairs, and for each pair which of them are the answer and what follows it."""

    ids: list[int]
    answers: list[range]


@torch.inference_mode()
def shot_hits(
    model: LanguageModel,
    tokenizer: Tokenizer,
    rows: Sequence[Sequence[Demonstration]],
    *,
    template: Template = INPUT_OUTPUT,
    separator: str = "\n",
    batch_size: int = 8,
) -> Tensor:
    """Whether the greedy answer to each pair is right behind the pairs before it: (N, K) for N rows of K pairs.

    Right is what `FewShot` would read as the answer: all its tokens, then the end of the line. ValueError for no rows
    or rows of different lengths, an answer that is not one line without blanks around it, a separator that does not
    begin with a line break, a row longer than the context.
    """
    _check(rows, separator, batch_size)
    read = [_row(tokenizer, row, template, separator) for row in rows]
    check_context(model, None, torch.tensor([max((row.ids for row in read), key=len)]), None, 1)
    parts = [read[start : start + batch_size] for start in range(0, len(read), batch_size)]
    return torch.cat([_hits(model, tokenizer, part) for part in parts])


def _hits(model: LanguageModel, tokenizer: Tokenizer, rows: Sequence[_Row]) -> Tensor:
    device = model.body.embedding.tokens.weight.device
    ids = pad_sequence([torch.tensor(row.ids) for row in rows], batch_first=True).to(device)
    states = model.body(ids).states  # (B, T, C); padding stands behind everything that counts
    asked = [(state, row.ids, part) for state, row in zip(states, rows, strict=True) for part in row.answers]
    read = torch.cat([state[part.start - 1 : part.stop - 1] for state, _, part in asked])  # one product with the head
    best = model.logits(read).argmax(dim=-1).split([len(part) for _, _, part in asked])
    hits = [_is_right(said.tolist(), ids, part, tokenizer) for said, (_, ids, part) in zip(best, asked, strict=True)]
    return torch.tensor(hits).view(len(rows), -1)  # (B, K)


def _is_right(best: list[int], ids: list[int], part: range, tokenizer: Tokenizer) -> bool:
    """Whether the best tokens are the answer, and the last of them ends the line."""
    *answer, end = best
    return answer == [ids[i] for i in part[:-1]] and tokenizer.decode([end]).startswith("\n")


def _row(tokenizer: Tokenizer, row: Sequence[Demonstration], template: Template, separator: str) -> _Row:
    text, spans = "", []
    for pair in row:
        asked = FewShot(template).render(pair.question)
        shown = template.render(question=pair.question, answer=pair.answer)
        spans.append((len(text) + len(asked), len(text) + len(shown)))
        text += shown + separator
    found = tokenizer.encode_with_offsets(text)
    starts = {start: i for i, (start, _) in enumerate(found.offsets)}
    broken = [text[a:b] for a, b in spans if a not in starts or b not in starts]
    if broken:
        raise ValueError(f"a token of the answer {broken[0]!r} reaches beyond it")
    return _Row(found.ids, [range(starts[a], starts[b] + 1) for a, b in spans])


def _check(rows: Sequence[Sequence[Demonstration]], separator: str, batch_size: int) -> None:
    lengths = sorted({len(row) for row in rows})
    if len(lengths) != 1 or not lengths[0] or batch_size < 1:
        raise ValueError(f"rows of one length are needed, not {lengths}, {batch_size} at once")
    if not separator.startswith("\n"):
        raise ValueError(f"the separator must begin with a line break: {separator!r}")
    for pair in (pair for row in rows for pair in row):
        if not pair.answer or pair.answer != pair.answer.strip() or "\n" in pair.answer:
            raise ValueError(f"an answer is one line without blanks around it, not {pair.answer!r}")
