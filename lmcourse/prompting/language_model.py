"""A language model as a function from prompt to completion, and the form of a chat.

    <|im_start|>system ... <|im_end|> <|im_start|>user {prompt}<|im_end|> <|im_start|>assistant

Chapter: prompting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from lmcourse.decoding import Greedy, Strategy, generate, left_pad
from lmcourse.models.cache import KVCache
from lmcourse.models.language_model import LanguageModel
from lmcourse.prompting.scoring import common_prefix
from lmcourse.tokenization.base import Tokenizer

END_OF_TURN = "<|im_end|>"


@dataclass(frozen=True, eq=False)
class TextModel:
    """A causal model with its tokenizer and a decoding strategy: call it with a prompt, or `complete` several at once.

    It writes at most `max_new_tokens`, until an end token in `ends` or a token that holds `stop`, and the
    completion ends before that. `wrap` puts the prompt into another form, as `chat` does; the end of the turn then ends
    the answer too, if the tokenizer has that token. Sampling takes its
    numbers from `generator`, one call after the other. With `share_prefix`, `complete` reads what all prompts begin
    with, such as demonstrations, once and not for each of them.
    """

    model: LanguageModel
    tokenizer: Tokenizer
    strategy: Strategy = field(default_factory=Greedy)
    max_new_tokens: int = 64
    stop: str = ""
    ends: tuple[int, ...] = ()
    wrap: Callable[[str], str] | None = None
    generator: torch.Generator | None = None
    share_prefix: bool = False

    def __call__(self, prompt: str) -> str:
        """What the model writes behind the prompt."""
        return self.complete([prompt])[0]

    def complete(self, prompts: Sequence[str]) -> list[str]:
        """What the model writes behind each of the prompts, read side by side; ValueError for none, or an empty one."""
        rows = self._tokens(prompts)
        device = self.model.body.embedding.tokens.weight.device
        prefix = common_prefix(rows) if self.share_prefix and len(rows) > 1 and all(rows) else []
        cache = self._read(torch.tensor([prefix], device=device), len(rows)) if prefix else None
        ids, attend = left_pad([row[len(prefix) :] for row in rows])
        found = generate(
            self.model,
            ids.to(device),
            attend=attend.to(device),
            cache=cache,
            strategy=self.strategy,
            max_new_tokens=self.max_new_tokens,
            end=(*self._ends, *self._stopping) or None,
            generator=self.generator,
        )
        return [
            self._text(row[:length].tolist()) for row, length in zip(found.ids, found.lengths.tolist(), strict=True)
        ]

    def fits(self, prompt: str) -> bool:
        """Whether the context holds the prompt, as it is wrapped, and all that may be written behind it, save the last
        token, which nobody reads."""
        (row,) = self._tokens([prompt])
        return len(row) + self.max_new_tokens - 1 <= self.model.config.max_length

    def _tokens(self, prompts: Sequence[str]) -> list[list[int]]:
        texts = list(prompts) if self.wrap is None else [self.wrap(prompt) for prompt in prompts]
        return self.tokenizer.encode_batch(texts, add_special_tokens=False)

    @torch.inference_mode()
    def _read(self, prefix: Tensor, rows: int) -> KVCache:
        """What the model remembers of a prefix (1, T), for so many rows."""
        found: KVCache = self.model.body(prefix).cache
        return found.select(torch.zeros(rows, dtype=torch.long, device=prefix.device))

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        """`ends`, and behind a `wrap` the end of the turn."""
        turn = {token.id for token in self.tokenizer.added_tokens if self.wrap and token.content == END_OF_TURN}
        return (*self.ends, *turn.difference(self.ends))

    @cached_property
    def _stopping(self) -> tuple[int, ...]:
        """The tokens whose text holds all of `stop`: after one of them there is nothing more to write. A longer `stop`
        that no token holds is only cut off afterwards."""
        ids = range(self.tokenizer.vocab_size) if self.stop else ()
        return tuple(i for i in ids if self.stop in self.tokenizer.decode([i]))

    def _text(self, ids: list[int]) -> str:
        text = self.tokenizer.decode([i for i in ids if i not in self._ends])
        return text.split(self.stop)[0] if self.stop else text


def chat(prompt: str, system: str = "You are a helpful AI assistant named SmolLM, trained by Hugging Face") -> str:
    """A prompt as the user's turn of SmolLM2's chat, up to where the assistant begins; another `system` turn makes
    another persona."""
    turns = [("system", system), ("user", prompt)] if system else [("user", prompt)]
    return "".join(f"<|im_start|>{who}\n{text}{END_OF_TURN}\n" for who, text in turns) + "<|im_start|>assistant\n"
