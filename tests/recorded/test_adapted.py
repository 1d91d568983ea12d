"""Adapted models as they are kept: what was trained comes back, the base stays; of full fine-tuning the best ranks."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from lmcourse.models.modern import modern, modern_config
from lmcourse.peft import Adapters, BitFit, LoRA, Method, PrefixTuning, PromptTuning, trained
from lmcourse.recorded.adapted import (
    LAYERS,
    Adapted,
    at_rank,
    base_model,
    changes,
    kept_bytes,
    load_kept,
    save_kept,
)
from lmcourse.recorded.store import save_model, stored_bytes
from lmcourse.training.checkpoint import read_checkpoint

IDS = torch.arange(2, 26).view(2, 12)
METHODS = (LoRA(3), Adapters(4), PrefixTuning(5), PromptTuning(6))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def moved(method: Method | None, base: str = "decoder") -> Adapted:
    """An adapted model whose trained weights are not those at the start."""
    model = Adapted(base, method, seed=3).eval()
    with torch.no_grad():
        for parameter in trained(model).values():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=seeded(1)))
    return model


def logits(model: Adapted) -> Tensor:
    with torch.no_grad():
        return model(IDS)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_what_was_trained_comes_back(tmp_path: Path, method: Method) -> None:
    model, path = moved(method), tmp_path / "kept.safetensors"
    save_kept(path, model)
    found = load_kept(path)
    assert isinstance(found, Adapted)
    assert (found.base, found.method, found.training) == ("decoder", method, False)
    for name, parameter in trained(found).items():
        kept = trained(model)[name]
        assert float((parameter - kept).detach().abs().max()) <= float(kept.detach().abs().max()) / 127
    assert torch.allclose(logits(found), logits(model), atol=0.02)
    assert not torch.allclose(logits(found), logits(Adapted("decoder", method).eval()), atol=0.02)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_the_file_holds_what_was_trained_alone_in_as_many_bytes_as_announced(tmp_path: Path, method: Method) -> None:
    model, path = moved(method), tmp_path / "kept.safetensors"
    save_kept(path, model)
    with safe_open(path, "pt") as file:
        names = {name.removesuffix(".scale") for name in file.keys()}  # noqa: SIM118
        assert names == {name.removeprefix("model.") for name in trained(model)}
        assert sum(file.get_tensor(name).nbytes for name in file.keys()) == kept_bytes(model)  # noqa: SIM118
    numbers = sum(parameter.numel() for parameter in trained(model).values())
    assert numbers < kept_bytes(model) < 1.5 * numbers  # four bytes each would be 4


def test_vectors_are_kept_whole(tmp_path: Path) -> None:
    model = moved(BitFit(), "minilm")
    save_kept(tmp_path / "kept.safetensors", model)
    found = load_kept(tmp_path / "kept.safetensors")
    assert all(
        torch.equal(parameter, trained(model)[name])
        for name, parameter in trained(found).items()
        if parameter.dim() == 1
    )


def test_the_base_is_one_for_all_and_full_fine_tuning_has_its_own() -> None:
    base = base_model("decoder")
    own = {name: parameter.data_ptr() for name, parameter in base.named_parameters()}
    adapted, whole = Adapted("decoder", LoRA(2)), Adapted("decoder", None)
    frozen = {parameter.data_ptr() for parameter in adapted.parameters() if not parameter.requires_grad}
    assert frozen == set(own.values())
    assert all(parameter.requires_grad for parameter in whole.parameters())
    assert not set(own.values()) & {parameter.data_ptr() for parameter in whole.parameters()}


def test_an_update_is_kept_at_its_best_rank() -> None:
    whole = moved(None)
    found = at_rank(whole, 3)
    for name, change in changes(whole).items():
        layer = found.model.body.get_submodule(name)
        left, values, right = torch.linalg.svd(change.double())
        best = left[:, :3] @ values[:3].diag() @ right[:3]
        assert torch.allclose(layer.update().double(), best, atol=1e-6)
    assert torch.equal(found.model.output.weight, whole.model.output.weight)
    assert torch.equal(found.model.output.bias, whole.model.output.bias)
    assert found.method == LoRA(3, 3.0, LAYERS)


def test_at_full_rank_only_embeddings_and_norms_differ() -> None:
    whole = Adapted("decoder", None, seed=3).eval()
    with torch.no_grad():
        for name, parameter in whole.named_parameters():
            if ("blocks" in name or "output" in name) and parameter.dim() == 2:
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=seeded(2)))
    assert float(logits(whole).abs().min()) > 0.1
    assert not torch.allclose(logits(at_rank(whole, 1).eval()), logits(whole), atol=1e-3)
    assert torch.allclose(logits(at_rank(whole, 128).eval()), logits(whole), atol=1e-3)


def test_other_models_are_kept_as_before(tmp_path: Path) -> None:
    model = modern(modern_config(60, 16, 2, 2))
    save_kept(tmp_path / "a.safetensors", model)
    save_model(tmp_path / "b.safetensors", model)
    (first, about), (second, expected) = (read_checkpoint(tmp_path / f"{name}.safetensors") for name in "ab")
    assert about == expected
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert kept_bytes(model) == stored_bytes(model)
    assert type(load_kept(tmp_path / "a.safetensors")) is type(model)


def test_bad_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be one of minilm, decoder, smollm2, not 'bert'"):
        Adapted("bert", LoRA(2))
    with pytest.raises(ValueError, match="updates of low rank"):
        save_kept(tmp_path / "kept.safetensors", Adapted("decoder", None))
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="only full fine-tuning changes the matrices"):
        at_rank(Adapted("decoder", LoRA(2)), 2)
