"""The experiments of the room peft: what is run, and what is said of a model that was fine-tuned whole."""

import pytest
import torch

from experiments import peft
from experiments.peft import EXPERIMENTS, FEW, LABELS, RANKS, SEEDS, WAYS, accuracy, by_rank, cut, whole
from lmcourse.peft import BitFit, LoRA, methods, trained
from lmcourse.recorded.adapted import LAYERS, RANK, Adapted, at_rank, kept_bytes
from lmcourse.recorded.tasks import task_rows


def moved() -> Adapted:
    """A decoder that was fine-tuned whole, by chance; its update is of high rank."""
    model = Adapted("decoder", None).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "embedding" not in name:
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return model


def test_every_method_is_tried_and_bitfit_where_there_are_biases() -> None:
    assert WAYS["smollm2"] == {"lora-4": WAYS["minilm"]["lora-4"]}  # full fine-tuning is beyond a small machine
    for base, ways in ((base, WAYS[base]) for base in ("minilm", "decoder")):
        used = {type(way.method) for way in ways.values() if way.method}
        assert used == set(methods().values()) - ({BitFit} if base == "decoder" else set())
        assert ways["full"].method is None
    assert len(EXPERIMENTS) == len(SEEDS) * sum(map(len, WAYS.values()))
    with pytest.raises(ValueError, match="no biases"):
        Adapted("decoder", BitFit())
    assert [WAYS["minilm"][f"lora-{rank}"].method for rank in RANKS] == [peft.lora(rank) for rank in RANKS]


def test_runs_of_one_base_differ_in_method_rate_and_seed_alone() -> None:
    for base in WAYS:
        configs = [each.config for each in EXPERIMENTS if f"-{base}-" in each.name]
        assert {(config.steps, config.batch_size) for config in configs} == {(125, 16)}
        assert {config.seed for config in configs} == set(SEEDS)
        rows = next(each for each in EXPERIMENTS if f"-{base}-" in each.name).rows()
        assert len(rows.ids) == LABELS == 125 * 16


def test_no_text_is_learned_and_asked() -> None:
    learned = {tuple(ids.tolist()) for ids in task_rows("decoder", "train", LABELS).ids}
    asked = {tuple(ids.tolist()) for ids in task_rows("decoder", "test", 454).ids}
    assert not learned & asked


def test_what_is_stored_of_full_fine_tuning_can_be_cut_further() -> None:
    model = moved()
    stored = at_rank(model, RANK)
    for rank in (1, 5):
        smaller, expected = cut(stored, rank), at_rank(model, rank)
        assert smaller.method == expected.method == LoRA(rank, float(rank), LAYERS)
        for name, parameter in trained(expected).items():
            assert torch.allclose(trained(smaller)[name], parameter, atol=1e-6)


def test_figures_are_of_the_stored_model_and_facts_of_the_trained_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peft.TEST, "decoder", 40)
    model = moved()
    found, facts = by_rank(at_rank(model, RANK)), whole(model)
    assert found.keys() == {"accuracy", "few_loss", *(f"accuracy_rank_{rank}" for rank in RANKS if rank < RANK)}
    rows = task_rows("decoder", "test", 40)
    assert rows.labels is not None
    with torch.no_grad():
        said = torch.cat([model(ids[None], attend=attend[None]) for ids, attend, _ in zip(*rows, strict=True)])
    assert facts["accuracy"] == accuracy(model) == float(((said[:, 0] > 0) == (rows.labels == 1)).float().mean())
    spectra = facts["spectra"]
    assert isinstance(spectra, dict)
    assert len(spectra) == 6 * 4
    change = model.model.body.blocks[1].ffn.up.weight - Adapted("decoder", LoRA(1)).model.body.blocks[1].ffn.up.weight
    values = [float(value) for value in spectra["blocks.1.ffn.up"].split()]
    assert values == pytest.approx(torch.linalg.svdvals(change.detach().double()).tolist(), rel=1e-3)


def test_all_runs_together_are_small() -> None:
    assert min(peft.TEST.values()) >= FEW
    kept = {}
    for each in EXPERIMENTS:
        if each.config.seed == 0 and "full" not in each.name:
            kept[each.name] = kept_bytes(each.model())
    assert sum(kept.values()) * len(SEEDS) < 3_000_000
