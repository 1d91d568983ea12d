"""Jobs that say which label SmolLM2 holds likelier for real reviews behind demonstrations, each in a process of its
own, all with the same weights and prompts. Seconds are those of the processor, as in `training_jobs`.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from benchmarks.decoding_jobs import reference
from benchmarks.job import Outcome, digest
from benchmarks.training_jobs import clock
from lmcourse.data import reviews
from lmcourse.decoding import left_pad
from lmcourse.models.pretrained import load, load_tokenizer
from lmcourse.prompting.few_shot import Demonstration, FewShot
from lmcourse.prompting.scoring import label_logprobs
from lmcourse.prompting.templates import Template

LABELS = (" negative", " positive")
TEMPLATE = Template("Review: {question}\nSentiment: {answer}")


def prompts(questions: int, shots: int) -> list[str]:
    """So many short reviews of the test split as questions, behind the first short ones of the training split."""
    shown, asked = (
        [r for r in reviews.load(split) if r.source != "imdb" and len(r.text) < 60] for split in ("train", "test")
    )
    pairs = tuple(Demonstration(r.text, LABELS[r.label].strip()) for r in shown[:shots])
    method = FewShot(TEMPLATE, pairs, separator="\n")
    return [method.render(r.text) for r in asked[:questions]]


def ours(scratch: Path, questions: int, shots: int, batch_size: int, share: bool) -> Outcome:
    """`label_logprobs`, the shared beginning read once or with every prompt."""
    model, tokenizer, asked = load("smollm2"), load_tokenizer("smollm2"), prompts(questions, shots)
    label_logprobs(model, tokenizer, ["One.", "Two."], LABELS)
    outcome = Outcome(questions)
    with clock(outcome):
        found = label_logprobs(model, tokenizer, asked, LABELS, batch_size=batch_size, share_prefix=share)
    return _chosen(outcome, found)


@torch.inference_mode()
def library(scratch: Path, questions: int, shots: int, batch_size: int) -> Outcome:
    """The logits behind each prompt of a batch, padded on the left, by `transformers`."""
    model, tokenizer, asked = reference(load("smollm2")), load_tokenizer("smollm2"), prompts(questions, shots)
    model(torch.tensor([[1, 2, 3]]))
    labels = [tokenizer.encode(label)[0] for label in LABELS]
    outcome, found = Outcome(questions), []
    with clock(outcome):
        for start in range(0, questions, batch_size):
            ids, attend = left_pad(tokenizer.encode_batch(asked[start : start + batch_size], add_special_tokens=False))
            places = (attend.long().cumsum(1) - 1).clamp(min=0)
            logits = model(
                input_ids=ids, attention_mask=attend.long(), position_ids=places, logits_to_keep=1, use_cache=False
            ).logits[:, -1]
            found.append(logits.log_softmax(-1)[:, labels])
    return _chosen(outcome, torch.cat(found))


def _chosen(outcome: Outcome, logprobs: Tensor) -> Outcome:
    outcome.digest = digest(logprobs.argmax(1).tolist())
    outcome.figures = {"mean": round(float(logprobs.mean()), 4)}
    return outcome
