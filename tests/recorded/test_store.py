"""Models in eight bits: what that costs, and what a damaged or foreign file does."""

import copy
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lmcourse.finetuning.tagging import Tagger
from lmcourse.models.initialization import initialize
from lmcourse.models.language_model import EncoderDecoder, LanguageModel
from lmcourse.models.modern import modern, modern_config, modern_encoder_decoder
from lmcourse.recorded.store import dequantize, load_saved, quantize, save_model, stored_bytes
from lmcourse.training.checkpoint import model_tensors

Model = TypeVar("Model", bound=nn.Module)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def scramble(model: nn.Module) -> None:
    """Give it weights such that every one of them changes the output."""
    generator = seeded(7)
    initialize(model, generator=generator, std=0.3)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 1:
                weight.add_(0.3 * torch.randn(weight.shape, generator=generator))


def small(causal: bool = True, segments: int = 0) -> LanguageModel:
    model = modern(modern_config(60, 16, 2, 2, causal=causal, n_segments=segments))
    scramble(model)
    return model


def test_no_weight_moves_by_more_than_half_a_step_of_its_row() -> None:
    weight = torch.randn(40, 30, generator=seeded()) * torch.logspace(-6, 6, 40)[:, None]
    numbers, scale = quantize(weight)
    assert numbers.dtype == torch.int8
    assert scale.shape == (40, 1)
    assert torch.equal(scale, weight.abs().amax(dim=1, keepdim=True) / 127)
    assert bool(((dequantize(numbers, scale) - weight).abs() <= scale * (0.5 + 1e-5)).all())
    assert numbers.abs().amax(dim=1).tolist() == [127] * 40


def test_a_row_of_zeros_stays_zero() -> None:
    numbers, scale = quantize(torch.tensor([[0.0, 0.0], [1.0, -2.0]]))
    assert dequantize(numbers, scale).tolist() == [[0.0, 0.0], [pytest.approx(1.0, abs=0.01), -2.0]]


def test_what_was_stored_once_is_stored_again_without_a_change(tmp_path: Path) -> None:
    save_model(tmp_path / "a.safetensors", small())
    save_model(tmp_path / "b.safetensors", load_saved(tmp_path / "a.safetensors"))
    first, second = (load_file(tmp_path / f"{name}.safetensors") for name in "ab")
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-6, atol=0)


@torch.no_grad()
def rounded(model: Model) -> Model:
    """A copy whose matrices went through eight bits."""
    made = copy.deepcopy(model).eval()
    for weight in model_tensors(made).values():
        if weight.dim() == 2:
            weight.copy_(dequantize(*quantize(weight)))
    return made


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    """The root mean square of the difference over that of the outputs."""
    return float((ours - theirs).square().mean().sqrt() / theirs.square().mean().sqrt())


@pytest.mark.parametrize("model", [small(), small(causal=False, segments=2)], ids=["decoder", "encoder"])
def test_a_language_model_comes_back(model: LanguageModel, tmp_path: Path) -> None:
    save_model(tmp_path / "model.safetensors", model)
    back = load_saved(tmp_path / "model.safetensors")
    assert isinstance(back, LanguageModel)
    assert back.config == model.config
    assert not back.training
    ids = torch.randint(60, (2, 9), generator=seeded())
    with torch.no_grad():
        ours, expected, before = back(ids), rounded(model)(ids), model.eval()(ids)
    assert torch.equal(ours, expected)
    assert 0 < relative_error(ours, before) < 0.03


def test_an_encoder_decoder_comes_back(tmp_path: Path) -> None:
    model = modern_encoder_decoder(modern_config(60, 16, 1, 2))
    scramble(model)
    save_model(tmp_path / "model.safetensors", model)
    back = load_saved(tmp_path / "model.safetensors")
    assert isinstance(back, EncoderDecoder)
    source, ids = torch.randint(60, (2, 2, 9), generator=seeded())
    with torch.no_grad():
        ours, expected, before = back(source, ids), rounded(model)(source, ids), model.eval()(source, ids)
    assert torch.equal(ours, expected)
    assert 0 < relative_error(ours, before) < 0.03


def test_a_tagger_comes_back(tmp_path: Path) -> None:
    model = Tagger(small(causal=False).body, 7)
    scramble(model)
    save_model(tmp_path / "model.safetensors", model)
    back = load_saved(tmp_path / "model.safetensors")
    assert isinstance(back, Tagger)
    assert back.config == model.config
    ids = torch.randint(60, (2, 9), generator=seeded())
    with torch.no_grad():
        ours, expected, before = back(ids), rounded(model)(ids), model.eval()(ids)
    assert ours.shape == (2, 9, 7)
    assert torch.equal(ours, expected)
    assert 0 < relative_error(ours, before) < 0.03


def test_vectors_are_kept_whole(tmp_path: Path) -> None:
    model = small()
    save_model(tmp_path / "model.safetensors", model)
    ours, theirs = model_tensors(load_saved(tmp_path / "model.safetensors")), model_tensors(model)
    vectors = [name for name, tensor in theirs.items() if tensor.dim() < 2]
    assert vectors
    assert all(torch.equal(ours[name], theirs[name]) for name in vectors)


def test_size_is_known_before_training(tmp_path: Path) -> None:
    model = small()
    save_model(tmp_path / "model.safetensors", model)
    weights = load_file(tmp_path / "model.safetensors")
    assert stored_bytes(model) == sum(x.numel() * x.element_size() for x in weights.values())


def test_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, small())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"model\.safetensors is no checkpoint or is damaged"):
        load_saved(path)


def test_a_foreign_file(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"other\.safetensors is not a recorded model: it lacks \['config', 'kind'\]"):
        load_saved(tmp_path / "other.safetensors")
