"""Small random models of three families in double precision, each as a model of `transformers` and as ours.

All weights are random and those of attention four times as large: a model that hardly looks back would hide errors of
the cache. The row of the token `END` is longer than the others, so that it often wins.
"""

from functools import cache

import torch
import transformers

from lmcourse.models.checkpoints import from_state

VOCAB, END, PAD = 23, 3, 2
SIZES = {"vocab_size": VOCAB, "bos_token_id": 1, "eos_token_id": END, "pad_token_id": PAD}
CONFIGS = {
    "gpt2": transformers.GPT2Config(n_embd=16, n_layer=2, n_head=4, n_positions=40, **SIZES),
    "llama": transformers.LlamaConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=24, **SIZES
    ),
    "t5": transformers.T5Config(
        d_model=16, d_kv=4, d_ff=24, num_layers=2, num_heads=4, decoder_start_token_id=PAD, **SIZES
    ),
}
CLASSES = {
    "gpt2": transformers.GPT2LMHeadModel,
    "llama": transformers.LlamaForCausalLM,
    "t5": transformers.T5ForConditionalGeneration,
}
TABLE = {"gpt2": 1.0, "llama": 1.0, "t5": 3.0}  # T5 divides its output by the root of the width
DECODERS = ("gpt2", "llama")


@cache
def pair(family):
    """Their model and ours, with the same weights."""
    model = CLASSES[family](CONFIGS[family]).double().eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name or "ln_" in name:
                continue
            strong = any(part in name.lower() for part in ("attn", "attention"))
            parameter.normal_(0, 1.2 if strong else 0.3, generator=generator)
            if len(parameter) == VOCAB:
                parameter *= TABLE[family]
                parameter[END] *= 3
    return model, from_state(model.config.to_dict(), model.state_dict())


def ours(family):
    return pair(family)[1]


def prompts(lengths, seed=0):
    """Rows of random tokens of the given lengths, none of them the end or padding."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(END + 1, VOCAB, (length,), generator=generator).tolist() for length in lengths]


def unpadded(found):
    """The tokens of each row."""
    return [row[:length].tolist() for row, length in zip(found.ids, found.lengths, strict=True)]
