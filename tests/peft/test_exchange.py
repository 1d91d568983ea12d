"""Equal to the library `peft`: outputs and every gradient, and each reads the other's files."""

import copy
import json

import peft as reference
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from lmcourse.finetuning.tagging import Tagger
from lmcourse.models.checkpoints import from_state
from lmcourse.peft import Adapters, LoRA, PrefixTuning, PromptTuning, method_of, read_hub, trained, write_hub
from lmcourse.peft.exchange import CONFIG, VIRTUAL, WEIGHTS
from lmcourse.peft.store import adapter_tensors
from tests.peft.samples import disturbed, generator
from tools.parity_cases import StayDouble, batch

VOCAB = 61
BOUND = 1e-9  # of relative errors in double precision
LENGTHS = (9, 5, 1, 7)
COMMON = {"vocab_size": VOCAB, "attn_implementation": "eager"}
SIZES = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "intermediate_size": 40,
    "max_position_embeddings": 40,
}
BUILD = {
    "gpt2": lambda: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            n_embd=24, n_layer=3, n_head=4, n_positions=40, n_inner=40, bos_token_id=0, eos_token_id=0, **COMMON
        )
    ),
    "llama": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(num_key_value_heads=2, **SIZES, **COMMON)),
    "bert": lambda: transformers.BertForMaskedLM(transformers.BertConfig(**SIZES, **COMMON)),
    "t5": lambda: transformers.T5ForConditionalGeneration(
        transformers.T5Config(d_model=24, d_kv=5, d_ff=40, num_layers=3, num_decoder_layers=2, num_heads=4, **COMMON)
    ),
}
TARGETS = {
    "gpt2": (["c_attn"], ["c_attn", "c_fc", "mlp.c_proj"]),
    "llama": (["q_proj", "v_proj"], ["k_proj", "o_proj", "gate_proj", "down_proj"]),
    "bert": (["query", "value"], ["key", "attention.output.dense", "intermediate.dense"]),
    "t5": (["q", "v"], ["k", "o", "wi", "wo"]),
}


@pytest.fixture(autouse=True)
def made_in_double():
    """Their loader makes virtual tokens in the default precision, and rounds what it loads to it."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def theirs(family, seed=0):
    """A model of `transformers` with large weights, as in the tests of parity."""
    torch.manual_seed(seed)
    model = BUILD[family]().double().eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.normal_(1.0 if p.dim() == 1 and name.endswith("weight") else 0.0, 0.3)
    return model


def ours(family, seed=0):
    model = theirs(family, seed)
    return from_state(model.config.to_dict(), model.state_dict())


def lora(family, choice=0, **options):
    targets = TARGETS[family][choice]
    return reference.LoraConfig(r=3, lora_alpha=7, target_modules=targets, fan_in_fan_out=family == "gpt2", **options)


def virtual(kind, family, **options):
    config = {"prefix": reference.PrefixTuningConfig, "prompt": reference.PromptTuningConfig}[kind]
    task = "FEATURE_EXTRACTION" if family == "bert" else "CAUSAL_LM"
    return config(num_virtual_tokens=4, task_type=task, **options)


def adapted_by_peft(family, config):
    """Their model with their adapter, of random weights."""
    model = theirs(family)
    model = model.bert if config.task_type == "FEATURE_EXTRACTION" else model  # which has no head
    found = reference.get_peft_model(model, config, autocast_adapter_dtype=False).double().eval()
    with torch.no_grad():
        for p in found.parameters():
            if p.requires_grad:
                p.normal_(0, 0.5)
    return found


def their_output(model, family, count=0):
    """Logits or states of the tokens of a padded batch. All that is read requires a gradient, so that `StayDouble`
    holds."""
    given, read = batch(LENGTHS, "right", VOCAB), {}
    asked = [p for p in model.parameters() if not p.requires_grad]
    for p in asked:
        p.requires_grad_(True)
    if family == "t5":
        read["decoder_input_ids"] = given.ids.flip(1)
    with StayDouble():
        found = model(input_ids=given.ids, attention_mask=given.attend.long(), **read)
    out = found.logits if hasattr(found, "logits") else found.last_hidden_state
    return out[:, count:]


def our_output(model, family, states=False):
    given = batch(LENGTHS, "right", VOCAB)
    if family == "t5":
        return model(given.ids, given.ids.flip(1), source_attend=given.attend)
    return model.body(given.ids, attend=given.attend).states if states else model(given.ids, attend=given.attend)


def compared(model, mine, family, count=0, states=False):
    """The relative error of the outputs; runs both backwards."""
    expected, found = their_output(model, family, count), our_output(mine, family, states)
    real = batch(LENGTHS, "right", VOCAB).attend.unsqueeze(-1) if family != "t5" else torch.tensor(True)
    weights = torch.randn(found.shape, generator=generator(), dtype=found.dtype) * real
    (expected * weights).sum().backward()
    (found * weights).sum().backward()
    return ((found - expected) * real).abs().max().item() / expected.abs().max().item()


def gradients_as_ours(model, folder, family):
    """The gradients of their adapter as the weights of ours: what is linear goes the same way as the weights."""
    gradients = copy.deepcopy(model)
    for p, like in zip(gradients.parameters(), model.parameters(), strict=True):
        p.data = torch.zeros_like(p) if like.grad is None else like.grad.clone()
    gradients.save_pretrained(folder)
    return adapter_tensors(read_hub(folder, ours(family), family))


def close(found, expected):
    """Relative to the largest entry."""
    assert float((found - expected).abs().max()) < BOUND * float(expected.abs().max())


@pytest.mark.parametrize("choice", [0, 1])
@pytest.mark.parametrize("family", BUILD)
def test_lora_equals_theirs(family, choice, tmp_path):
    model = adapted_by_peft(family, lora(family, choice))
    model.save_pretrained(tmp_path / "theirs")
    mine = read_hub(tmp_path / "theirs", ours(family), family)
    assert compared(model, mine, family) < BOUND
    expected = gradients_as_ours(model, tmp_path / "gradients", family)
    for name, p in trained(mine).items():
        if family == "gpt2" and ".attention." in name and name.endswith("lora_a"):
            continue  # theirs is one for query, key and value: below
        close(p.grad, expected[name])
    if family == "gpt2":
        for layer in mine.body.blocks:
            parts = layer.attention.query, layer.attention.key, layer.attention.value
            of_all = sum(part.lora_a.grad for part in parts)
            number = list(mine.body.blocks).index(layer)
            close(of_all, expected[f"body.blocks.{number}.attention.query.lora_a"])


@pytest.mark.parametrize("kind", ["prefix", "prompt"])
@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_virtual_tokens_equal_theirs(kind, family, tmp_path):
    model = adapted_by_peft(family, virtual(kind, family))
    model.save_pretrained(tmp_path / "theirs")
    mine = read_hub(tmp_path / "theirs", ours(family), family)
    assert compared(model, mine, family, count=4 if kind == "prompt" else 0, states=family == "bert") < BOUND
    expected = gradients_as_ours(model, tmp_path / "gradients", family)
    assert len(trained(mine)) == 1
    for name, p in trained(mine).items():
        close(p.grad, expected[name])


def test_the_network_of_a_prefix_equals_theirs(tmp_path):
    """The same network and its gradients; in the file there is only what it computes."""
    model = adapted_by_peft("gpt2", virtual("prefix", "gpt2", prefix_projection=True, encoder_hidden_size=6))
    network = model.prompt_encoder["default"]
    mine = PrefixTuning(4, inner=6).apply(ours("gpt2"), generator=generator())
    parts = mine.body.prefix.embedding, mine.body.prefix.first, mine.body.prefix.second
    pairs = list(zip(parts, (network.embedding, network.transform[0], network.transform[2]), strict=True))
    for our, their in pairs:
        our.load_state_dict(their.state_dict())
    assert compared(model, mine, "gpt2") < BOUND
    for our, their in pairs:
        for p, like in zip(our.parameters(), their.parameters(), strict=True):
            close(p.grad, like.grad)
    write_hub(tmp_path, mine, "gpt2")
    close(load_file(tmp_path / WEIGHTS)[VIRTUAL], network(torch.arange(4)).detach())


METHODS = {
    "LoRA": LoRA(rank=3, alpha=7),
    "LoRA of all": LoRA(rank=2, alpha=5, targets=("query", "key", "attention.output", "up", "down")),
    "prefix": PrefixTuning(3),
    "prefix by a network": PrefixTuning(3, inner=5),
    "prompt": PromptTuning(3),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_they_read_ours(method, family, tmp_path):
    mine = disturbed(METHODS[method].apply(ours(family), generator=generator()))
    write_hub(tmp_path, mine, family)
    base, states = theirs(family), family == "bert" and "LoRA" not in method
    model = reference.PeftModel.from_pretrained(base.bert if states else base, tmp_path, autocast_adapter_dtype=False)
    if "LoRA" not in method:  # which class reads virtual tokens depends on the task
        task = reference.PeftModelForFeatureExtraction if states else reference.PeftModelForCausalLM
        model = task.from_pretrained(base.bert if states else base, tmp_path)
    count = 3 if method == "prompt" else 0
    assert compared(model.double().eval(), mine, family, count, states) < BOUND


@pytest.mark.parametrize("method", METHODS)
def test_there_and_back(method, tmp_path):
    mine = disturbed(METHODS[method].apply(ours("llama"), generator=generator()))
    write_hub(tmp_path, mine, "llama")
    again = read_hub(tmp_path, ours("llama"), "llama")
    assert torch.equal(our_output(again, "llama"), our_output(mine, "llama"))


def test_rank_stabilised_scale(tmp_path):
    """α/√r in place of α/r."""
    model = adapted_by_peft("llama", lora("llama", use_rslora=True))
    model.save_pretrained(tmp_path)
    mine = read_hub(tmp_path, ours("llama"), "llama")
    assert method_of(mine).scale == pytest.approx(7 / 3**0.5)
    assert compared(model, mine, "llama") < BOUND


def test_some_layers_only(tmp_path):
    model = adapted_by_peft("llama", lora("llama", layers_to_transform=[1]))
    model.save_pretrained(tmp_path)
    mine = read_hub(tmp_path, ours("llama"), "llama")
    assert method_of(mine).targets == ("body.blocks.1.attention.query", "body.blocks.1.attention.value")
    assert compared(model, mine, "llama") < BOUND


def test_the_head_of_a_task_on_top(tmp_path):
    """Their adapter of a stack goes under a head of ours."""
    model = adapted_by_peft("bert", lora("bert"))
    model.save_pretrained(tmp_path)
    tagger = Tagger(ours("bert").body, 3)
    with pytest.raises(ValueError, match=r"output\.weight is missing; output\.bias is missing"):
        read_hub(tmp_path, tagger, "bert")
    found = read_hub(tmp_path, ours("bert"), "bert")
    given = batch(LENGTHS, "right", VOCAB)
    assert Tagger(found.body, 3)(given.ids, attend=given.attend).shape == (4, 9, 3)


def rewritten(folder, **fields):
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | fields))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"peft_type": "IA3"}, "of kind IA3"),
        ({"use_dora": True}, "'use_dora'"),
        ({"bias": "all"}, "bias=all"),
        ({"rank_pattern": {"q_proj": 2}}, "'rank_pattern'"),
        ({"modules_to_save": ["score"]}, "'modules_to_save'"),
        ({"r": 30}, "rank 30 is above the width"),
        ({"r": 2}, r"lora_a is \(3, 24\), not \(2, 24\)"),
        ({"lora_alpha": -1}, "alpha must be above 0"),
    ],
)
def test_what_is_not_supported_or_does_not_fit(fields, complaint, tmp_path):
    write_hub(tmp_path, METHODS["LoRA"].apply(ours("llama"), generator=generator()), "llama")
    rewritten(tmp_path, **fields)
    with pytest.raises(ValueError, match=complaint):
        read_hub(tmp_path, ours("llama"), "llama")


def test_unknown_tensors_and_families(tmp_path):
    model = ours("llama")
    write_hub(tmp_path, METHODS["LoRA"].apply(model, generator=generator()), "llama")
    with pytest.raises(ValueError, match=r"no place in a gpt2 for base_model\.model\.model\.layers\.0\.self_attn"):
        read_hub(tmp_path, ours("gpt2"), "gpt2")
    for call in (lambda: read_hub(tmp_path, model, "mamba"), lambda: write_hub(tmp_path, model, "mamba")):
        with pytest.raises(ValueError, match="one of bert, roberta, electra, gpt2, llama, t5, not 'mamba'"):
            call()
    tensors = load_file(tmp_path / WEIGHTS)
    save_file(tensors | {"base_model.model.lm_head.lora_magnitude_vector": torch.ones(2)}, tmp_path / WEIGHTS)
    with pytest.raises(ValueError, match=r"no place in a llama for .*magnitude"):
        read_hub(tmp_path, model, "llama")


def test_virtual_tokens_that_do_not_fit(tmp_path):
    write_hub(tmp_path, PrefixTuning(3).apply(ours("gpt2"), generator=generator()), "gpt2")
    with pytest.raises(ValueError, match=r"prefix\.states is \(3, 144\), not \(3, 2, 2, 3, 4\)"):
        read_hub(tmp_path, ours("llama"), "llama")
    rewritten(tmp_path, num_virtual_tokens=5)
    with pytest.raises(ValueError, match=r"virtual tokens \(3, 144\) do not fit 5"):
        read_hub(tmp_path, ours("gpt2"), "gpt2")


@pytest.mark.parametrize(
    ("method", "model", "complaint"),
    [
        (Adapters(3), lambda: ours("bert"), "no adapter like Adapters"),
        (LoRA(2), lambda: Tagger(ours("bert").body, 3), "a trained head cannot be written"),
        (
            PrefixTuning(2),
            lambda: ours("t5"),
            r"one set of virtual tokens and no head, not encoder\.prefix\.states, body",
        ),
    ],
)
def test_what_they_do_not_have(method, model, complaint, tmp_path):
    with pytest.raises(ValueError, match=complaint):
        write_hub(tmp_path, method.apply(model(), generator=generator()), "bert")
