"""Jobs that continue real reviews with SmolLM2, each in a process of its own, all with the same weights and prompts."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.job import Outcome, digest
from lmcourse.data import reviews
from lmcourse.decoding import LookupDraft, ModelDraft, Temperature, generate, generate_speculative
from lmcourse.models.language_model import LanguageModel
from lmcourse.models.llama import llama
from lmcourse.models.pretrained import load, load_tokenizer

PROMPTS = "prompts.json"
REPEATED = "The cat sat on the mat. The dog sat on the cat. The bird sat on the dog. "


def gather(scratch: Path, batch: int, length: int) -> Outcome:
    """Write the prompts: the first tokens of reviews of the test split, and a text that repeats itself."""
    tokenizer = load_tokenizer("smollm2")
    rows = (tokenizer.encode(text) for text in reviews.texts("test"))
    long = (ids[:length] for ids in rows if len(ids) >= length)
    found = {
        "reviews": [next(long) for _ in range(batch)],
        "repetitive": [tokenizer.encode(REPEATED * length)[:length]],
    }
    (scratch / PROMPTS).write_text(json.dumps(found))
    return Outcome(0)


def prompts(scratch: Path, batch: int, length: int, *, repetitive: bool = False) -> Tensor:
    """The first `length` tokens of so many prompts, (batch, length)."""
    found = json.loads((scratch / PROMPTS).read_text())["repetitive" if repetitive else "reviews"]
    return torch.tensor(found[:batch])[:, :length]


def ours(
    scratch: Path,
    dtype: str,
    batch: int,
    length: int,
    new: int,
    cached: bool = True,
    repetitive: bool = False,
    after_first: bool = False,
) -> Outcome:
    """`generate`, greedy; `after_first`: only the time after the first token, so without reading the prompt."""
    model, ids = load("smollm2", dtype=getattr(torch, dtype)), prompts(scratch, batch, length, repetitive=repetitive)
    generate(model, ids, max_new_tokens=3, use_cache=cached)  # libraries prepare themselves in the first calls
    outcome, times = Outcome(batch * (new - after_first)), list[tuple[float, float]]()

    def note(tokens: Tensor) -> None:
        times.append((time.perf_counter(), time.process_time()))

    with outcome.lap():
        found = generate(model, ids, max_new_tokens=new, use_cache=cached, on_token=note)
    if after_first:
        name, _, _, *memory = outcome.laps.pop()
        seconds, cpu = (last - first for first, last in zip(times[0], times[-1], strict=True))
        outcome.laps.append((name, seconds, cpu, *memory))
    outcome.digest = digest(found.ids.tolist())
    return outcome


def transformers(scratch: Path, dtype: str, batch: int, length: int, new: int) -> Outcome:
    """`generate` of `transformers`, greedy, with the same weights."""
    model, ids = reference(load("smollm2", dtype=getattr(torch, dtype))), prompts(scratch, batch, length)
    options: dict[str, Any] = {"attention_mask": torch.ones_like(ids), "do_sample": False}
    model.generate(ids, max_new_tokens=3, **options)
    outcome = Outcome(batch * new)
    with outcome.lap():
        found = model.generate(ids, max_new_tokens=new, **options)
    outcome.digest = digest(found[:, length:].tolist())
    return outcome


def speculative(
    scratch: Path, dtype: str, length: int, new: int, repetitive: bool = False, layers: int | None = None
) -> Outcome:
    """`generate_speculative`, greedy, with the drafts of a look-up in the text or of the model's own first `layers`."""
    model, ids = load("smollm2", dtype=getattr(torch, dtype)), prompts(scratch, 1, length, repetitive=repetitive)
    draft = LookupDraft(3) if layers is None else ModelDraft(first_layers(model, layers))
    options: dict[str, Any] = {"filters": (Temperature(0),), "generator": torch.Generator().manual_seed(0)}
    generate_speculative(model, draft, ids, max_new_tokens=3, **options)
    outcome = Outcome(new)
    with outcome.lap():
        found = generate_speculative(model, draft, ids, max_new_tokens=new, **options)
    outcome.digest = digest(found.ids.tolist())
    return outcome


def read_weights(scratch: Path, dtype: str, times: int) -> Outcome:
    """The bandwidth limit: multiply all weights with a vector, so many times, and do nothing else."""
    count = sum(parameter.numel() for parameter in load("smollm2").parameters())
    weights = torch.ones(count // 576, 576, dtype=getattr(torch, dtype))
    vector = torch.zeros(576, dtype=weights.dtype)
    for _ in range(3):
        torch.mv(weights, vector)
    outcome = Outcome(times)
    with outcome.lap():
        for _ in range(times):
            torch.mv(weights, vector)
    return outcome


def first_layers(model: LanguageModel, layers: int) -> LanguageModel:
    """A model that shares the embeddings, the first blocks and the head of another."""
    with torch.device("meta"):
        shorter = llama(replace(model.config, n_layers=layers), tied=True)
    kept = shorter.state_dict()
    shorter.load_state_dict({name: each for name, each in model.state_dict().items() if name in kept}, assign=True)
    return shorter.eval()


def reference(model: LanguageModel) -> Any:
    """The Llama of `transformers` with the weights of ours, not copied."""
    import transformers

    config = model.config
    options = transformers.LlamaConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.d_model,
        intermediate_size=config.ff_width,
        num_hidden_layers=config.n_layers,
        num_attention_heads=config.n_heads,
        num_key_value_heads=config.kv_heads,
        max_position_embeddings=config.max_length,
        rms_norm_eps=config.norm_eps,
        rope_theta=config.rotary_base,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    theirs = transformers.LlamaForCausalLM(options).to(next(model.parameters()).dtype).eval()
    names = {
        "body.embedding.tokens": "model.embed_tokens",
        "body.norm": "model.norm",
        "body.blocks": "model.layers",
        "attention.query": "self_attn.q_proj",
        "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj",
        "attention.output": "self_attn.o_proj",
        "attention_norm": "input_layernorm",
        "ffn_norm": "post_attention_layernorm",
        "ffn.gate": "mlp.gate_proj",
        "ffn.up": "mlp.up_proj",
        "ffn.down": "mlp.down_proj",
    }
    state = {}
    for name, tensor in model.state_dict().items():
        for mine, other in names.items():
            name = name.replace(mine, other)
        state[name] = tensor
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    theirs.load_state_dict(state, assign=True)
    theirs.tie_weights()
    return theirs
