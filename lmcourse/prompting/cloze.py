"""Cloze prompts: a masked language model classifies by what it puts into a blank.

    score(y | x) = log p([MASK] = v(y) | P(x)),   P(x) = "x All in all, it was [MASK]."

with a template P and a word v(y) for each label, the verbaliser. No head, no labels. Chapter: prompting. Source: Schick
& Schütze 2021.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from lmcourse.decoding.base import widened
from lmcourse.models.language_model import LanguageModel
from lmcourse.prompting.templates import Template
from lmcourse.tokenization.base import Tokenizer

BLANK = "_____"

#: The four of the notes, as {text} and a blank. Their restaurant is a movie here; the text and the sentence with the
#: blank are two segments in their second and fourth, and one here, since not every encoder has two; the full stop that
#: their third puts behind the text is left to the text.
FOUR = (
    Template("It was " + BLANK + ". {text}"),
    Template("Just " + BLANK + "! {text}"),
    Template("{text} All in all, it was " + BLANK + "."),
    Template("{text} In summary, the movie is " + BLANK + "."),
)

#: Inputs without content for `calibrate`: those of Zhao et al. 2021 without "[MASK]", which would be a second mask.
CONTENT_FREE_CLOZE = ("N/A", "")


@torch.inference_mode()
def cloze_logprobs(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    words: Sequence[str],
    *,
    mask: str,
    batch_size: int = 16,
) -> Tensor:
    """log p(word | prompt) at the blank, (N, K) in nats: N prompts with one `BLANK` each, K words of one token.

    A blank before the mark is part of the word (" good"), as in tokenizers whose words begin with theirs; tokenizers
    that write no blanks take "good". `mask` is the tokenizer's mask token, what its template adds stays. ValueError for
    a prompt without exactly one blank, with a mask in its text, or longer than the context, or a word that is not one
    token.
    """
    if not prompts or not words or batch_size < 1:
        raise ValueError(f"prompts and words are needed, not {len(prompts)} and {len(words)}, {batch_size} at once")
    wrong = [prompt for prompt in prompts if prompt.count(BLANK) != 1]
    if wrong:
        raise ValueError(f"a prompt needs exactly one blank {BLANK!r}: {wrong[0]!r:.200}")
    asked = [_one_token(tokenizer, word) for word in words]
    blank, spaced = tokenizer.token_to_id(mask), any(word.startswith(" ") for word in words)
    rows = [tokenizer.encode(_masked(prompt, mask, spaced)) for prompt in prompts]
    _check_rows(model, rows, prompts, blank)
    parts = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    return torch.cat([_at_blank(model, part, blank)[:, asked] for part in parts])


def _at_blank(model: LanguageModel, rows: Sequence[Sequence[int]], blank: int) -> Tensor:
    """The log-probabilities (B, V) at the mask of each row."""
    device = model.body.embedding.tokens.weight.device
    ids = pad_sequence([torch.tensor(row) for row in rows], batch_first=True).to(device)
    attend = torch.arange(ids.shape[1]) < torch.tensor([[len(row)] for row in rows])
    states = model.body(ids, attend=attend.to(device)).states[ids == blank]  # (B, C)
    return widened(model.logits(states)).log_softmax(-1)


def _masked(prompt: str, mask: str, spaced: bool) -> str:
    """The mask in place of the blank, and of the space before it where words begin with theirs."""
    return prompt.replace(f" {BLANK}" if spaced and f" {BLANK}" in prompt else BLANK, mask)


def _one_token(tokenizer: Tokenizer, word: str) -> int:
    ids = tokenizer.encode(word, add_special_tokens=False)
    if len(ids) != 1:
        raise ValueError(f"a word must be one token, {word!r} is {len(ids)}: {[tokenizer.id_to_token(i) for i in ids]}")
    return ids[0]


def _check_rows(model: LanguageModel, rows: Sequence[Sequence[int]], prompts: Sequence[str], blank: int) -> None:
    for row, prompt in zip(rows, prompts, strict=True):
        if row.count(blank) != 1:
            raise ValueError(f"a prompt needs one mask, its blank, not {row.count(blank)}: {prompt!r:.200}")
    longest = max(map(len, rows))
    if longest > model.config.max_length:
        raise ValueError(f"a prompt of {longest} tokens is longer than the context of {model.config.max_length}")
