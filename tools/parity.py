"""Hold our models equal to the reference libraries: `python -m tools.parity` writes `benchmarks/results/parity.json`.

The rows: the small random models of `parity_cases` in double and single precision, with logits and the gradient of
every parameter; the real MiniLM and SmolLM2 in single precision; sentence embeddings. The performance page of the
book shows them, and the tests hold them to `parity_cases.BOUNDS`.
"""

from __future__ import annotations

import json
from typing import Any

import torch
import transformers
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from benchmarks.report import machine, today, versions
from lmcourse import assets
from lmcourse.data import reviews
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.pretrained import load, load_tokenizer, sentence_embeddings
from tools.parity_cases import BOTH, BOUNDS, CASES, EAGER, Errors, compare
from tools.project import ROOT

RESULT = ROOT / "benchmarks" / "results" / "parity.json"
COLUMNS = ["model", "precision", "largest error", "relative to the largest value", "gradients, relative"]
NOTES = [
    "Small models with large random weights: the same weights and the same ragged padded batch (on the right; for "
    "decoders also on the left; for T5 source and target) go through `transformers` and through `lmcourse.models`. The "
    "errors are those of the logits of real tokens, and of the gradient of every parameter of the cross-entropy, "
    "relative to the largest gradient of its layer.",
    "In double precision the reference's casts to single precision (norms, softmax) are left out, except for the "
    "angles of rotary positions, which both sides compute in single precision.",
    "Bounds held by the tests: a relative error of 1e-9 in double and 1e-4 in single precision.",
]
TEXTS = 64  # reviews for the sentence embeddings
LENGTHS = (60, 7, 31)  # tokens of the reviews that the real models read


def random_models() -> list[list[Any]]:
    """A row per case and precision, the worst of the sides of padding."""
    rows = []
    for case in CASES:
        for dtype in BOUNDS:
            errors = _worst([compare(case, dtype, side) for side in case.sides])
            rows.append(_row(f"{case.name}, random weights", errors, dtype))
    return rows


@torch.no_grad()
def real_models() -> list[list[Any]]:
    """Rows of MiniLM's states, SmolLM2's logits and MiniLM's sentence embeddings, all of reviews."""
    from sentence_transformers import SentenceTransformer  # takes seconds, and only this needs it

    minilm, smollm2 = load("minilm"), load("smollm2")
    assert isinstance(minilm, LanguageModel)
    encoder = transformers.AutoModel.from_pretrained(assets.path("minilm"), **EAGER).eval()
    ids, attend = _reviews("minilm", "right")
    theirs = encoder(ids, attention_mask=attend.long()).last_hidden_state
    rows = [_row("MiniLM: states", _errors(minilm.body(ids, attend=attend).states[attend], theirs[attend]))]
    decoder, logits = _smollm2(), []
    for side in BOTH:
        ids, attend = _reviews("smollm2", side)
        positions = (attend.long().cumsum(1) - 1).clamp(min=0)
        theirs = decoder(ids, attention_mask=attend.long(), position_ids=positions).logits
        logits.append(_errors(smollm2(ids, attend=attend)[attend], theirs[attend]))
    texts = reviews.texts("test")[:TEXTS]
    peer = SentenceTransformer(str(assets.path("minilm")), device="cpu")
    vectors = torch.from_numpy(peer.encode(texts, normalize_embeddings=True))
    ours = sentence_embeddings(minilm, load_tokenizer("minilm"), texts)
    return [
        *rows,
        _row("SmolLM2: logits", _worst(logits)),
        _row(f"MiniLM: embeddings of {TEXTS} reviews", _errors(ours, vectors)),
    ]


def _smollm2() -> Any:
    """The reference with SmolLM2's weights; its own loader of this file asks for one more package."""
    path = str(assets.path("smollm2"))
    config = transformers.LlamaConfig(**load_gguf_checkpoint(path)["config"], **EAGER)
    model = transformers.LlamaForCausalLM(config).eval()
    state = load_gguf_checkpoint(path, return_tensors=True, model_to_load=model)["tensors"]
    left_out = model.load_state_dict(state, strict=False)
    if left_out != (["lm_head.weight"], []):
        raise ValueError(f"the reference has not read all of SmolLM2: {left_out}")
    return model


def _reviews(model: str, side: str) -> tuple[Tensor, Tensor]:
    """The first tokens of some reviews, padded on a side, and where they are real."""
    encoded = load_tokenizer(model).encode_batch(reviews.texts("test")[: len(LENGTHS)])
    rows = [torch.tensor(ids[:length]) for ids, length in zip(encoded, LENGTHS, strict=True)]
    attend = [torch.ones_like(row, dtype=torch.bool) for row in rows]
    ids, real = (pad_sequence(x, batch_first=True, padding_side=side) for x in (rows, attend))
    return ids, real


def _errors(found: Tensor, expected: Tensor) -> Errors:
    absolute = (found - expected).abs().max().item()
    return Errors(absolute, absolute / expected.abs().max().item(), None)


def _worst(errors: list[Errors]) -> Errors:
    gradients = [error.gradients for error in errors if error.gradients is not None]
    absolute, relative = max(error.absolute for error in errors), max(error.relative for error in errors)
    return Errors(absolute, relative, max(gradients) if gradients else None)


def _row(name: str, errors: Errors, dtype: torch.dtype = torch.float32) -> list[Any]:
    return [name, str(dtype).removeprefix("torch."), *("" if error is None else error for error in errors)]


def main() -> None:
    result = {
        "title": "Parity with the reference libraries",
        "machine": machine(),
        "date": today(),
        "versions": versions(["torch", "transformers", "sentence-transformers"]),
        "columns": COLUMNS,
        "rows": random_models() + real_models(),
        "notes": NOTES,
    }
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
