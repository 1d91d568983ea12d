"""A checkpoint is whole or not there; what is damaged, or of another model, is refused in words."""

import errno
import json
import os
import resource
from contextlib import contextmanager

import pytest
import torch
from safetensors.torch import save_file

from lmcourse.models.t5 import t5, t5_config
from lmcourse.training.checkpoint import (
    check_place,
    load_model,
    load_optimizer,
    model_tensors,
    optimizer_tensors,
    read_checkpoint,
    save_checkpoint,
)
from tests.training.samples import VOCAB, generator, same, tiny

TENSORS = {"a": torch.arange(6.0).view(2, 3), "step": torch.tensor(3), "flags": torch.tensor([True, False])}


def test_tensors_and_numbers_come_back_with_every_bit(tmp_path):
    path, numbers = tmp_path / "new" / "one.safetensors", {"loss": 0.1 + 0.2, "list": [1, None], "name": "ü"}
    save_checkpoint(path, {**TENSORS, "turned": TENSORS["a"].T}, {"progress": numbers})
    tensors, metadata = read_checkpoint(path)
    assert same(tensors, {**TENSORS, "turned": TENSORS["a"].T})
    assert {name: tensor.dtype for name, tensor in tensors.items()}["flags"] == torch.bool
    assert metadata == {"progress": numbers}
    assert os.listdir(path.parent) == ["one.safetensors"]


def test_the_file_can_be_read_by_whoever_may_read_the_folder(tmp_path):
    save_checkpoint(tmp_path / "one", TENSORS, {})
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "plain").stat().st_mode


@contextmanager
def no_file_larger_than(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_room_leaves_the_one_before(tmp_path):
    path = tmp_path / "one.safetensors"
    save_checkpoint(path, TENSORS, {"number": 1})
    large = {"a": torch.zeros(100_000)}
    with no_file_larger_than(50_000), pytest.raises(OSError, match=r"could not be written: .*one\.safetensors"):
        save_checkpoint(path, large, {"number": 2})
    assert read_checkpoint(path)[1] == {"number": 1}
    assert os.listdir(tmp_path) == ["one.safetensors"]


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
def test_a_disk_that_fills_up_late_leaves_the_one_before(tmp_path, monkeypatch, failing):
    path = tmp_path / "one.safetensors"
    save_checkpoint(path, TENSORS, {"number": 1})

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(failing, full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        save_checkpoint(path, TENSORS, {"number": 2})
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(path)
    monkeypatch.undo()
    assert read_checkpoint(path)[1] == {"number": 1}
    assert os.listdir(tmp_path) == ["one.safetensors"]


def test_the_disk_has_the_content_before_the_name(tmp_path, monkeypatch):
    """After a loss of power a name without its content would be a damaged checkpoint."""
    order, fsync, replace = [], os.fsync, type(tmp_path).replace
    monkeypatch.setattr(os, "fsync", lambda handle: order.append(os.fstat(handle).st_size) or fsync(handle))
    monkeypatch.setattr(type(tmp_path), "replace", lambda *a: order.append("name") or replace(*a))
    save_checkpoint(tmp_path / "one", TENSORS, {})
    assert order == [(tmp_path / "one").stat().st_size, "name"]


def test_what_a_kill_left_is_cleared_away_and_other_files_are_not(tmp_path):
    path, mine = tmp_path / "one.safetensors", tmp_path / ".one.safetensors.77.partial"
    other, theirs = tmp_path / "one-more.safetensors", tmp_path / ".one-more.safetensors.77.partial"
    for file in (mine, other, theirs):
        file.write_text("half")
    save_checkpoint(path, TENSORS, {})
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, other.name, theirs.name])


def test_a_place_is_checked_before_the_work(tmp_path):
    check_place(tmp_path / "a" / "b" / "one.safetensors")
    assert os.listdir(tmp_path / "a" / "b") == []
    (tmp_path / "file").write_text("")
    for function in (check_place, lambda path: save_checkpoint(path, TENSORS, {})):
        with pytest.raises(OSError, match=r"could not be written.*one\.safetensors"):
            function(tmp_path / "file" / "one.safetensors")


def test_damaged_files_are_refused_by_name(tmp_path):
    path = tmp_path / "one.safetensors"
    save_checkpoint(path, TENSORS, {"number": 1})
    whole = path.read_bytes()
    for content in (b"", whole[:7], whole[:40], whole[:-1], b"{}" + whole, b"PK\x03\x04" * 20):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"one\.safetensors is no checkpoint or is damaged"):
            read_checkpoint(path)
    save_file(TENSORS, path, metadata={"format": "pt"})
    with pytest.raises(ValueError, match="no checkpoint"):
        read_checkpoint(path)


def test_shared_weights_are_stored_once():
    model = t5(t5_config(VOCAB, 16, 2, 2, 8, 32))
    tensors = model_tensors(model)
    assert model.encoder.embedding.tokens.weight is model.body.embedding.tokens.weight
    assert [name for name in tensors if "tokens" in name] == ["encoder.embedding.tokens.weight"]
    assert sum(x.numel() for x in tensors.values()) == sum(p.numel() for p in model.parameters())
    assert len({x.data_ptr() for x in tensors.values()}) == len(tensors)


def test_buffers_are_part_of_a_model(tmp_path):
    model = torch.nn.BatchNorm1d(3)
    model(torch.randn(5, 3, generator=generator()))
    save_checkpoint(tmp_path / "one", model_tensors(model), {})
    other = torch.nn.BatchNorm1d(3)
    load_model(other, read_checkpoint(tmp_path / "one")[0])
    assert same(model, other)
    assert int(other.num_batches_tracked) == 1


def test_weights_of_another_model_are_refused_and_nothing_is_loaded():
    model, other = tiny(seed=0), tiny(seed=1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tensors = model_tensors(other)
    del tensors["body.norm.weight"]
    tensors |= {"more": torch.zeros(1), "body.norm.bias": torch.zeros(3)}
    with pytest.raises(ValueError) as caught:
        load_model(model, tensors)
    for words in ("body.norm.weight is missing", "more is not in the model", r"body.norm.bias is (3,), not (16,)"):
        assert words in str(caught.value)
    assert same(model, before)


def test_an_optimizer_goes_on_as_if_it_had_not_been_saved(tmp_path):
    def stepped(parameters, optimizer, seeds):
        for seed in seeds:
            for parameter in parameters:
                parameter.grad = torch.randn(parameter.shape, generator=generator(seed))
            optimizer.step()

    def fresh():
        parameters = [torch.nn.Parameter(torch.ones(3, 2)), torch.nn.Parameter(torch.ones(4))]
        return parameters, torch.optim.AdamW([{"params": [p], "weight_decay": 0.1} for p in parameters], fused=True)

    whole, optimizer = fresh()
    stepped(whole, optimizer, range(3))
    save_checkpoint(tmp_path / "one", optimizer_tensors(optimizer), {})
    resumed, other = fresh()
    for mine, theirs in zip(resumed, whole, strict=True):
        mine.data.copy_(theirs.data)
    load_optimizer(other, read_checkpoint(tmp_path / "one")[0])
    stepped(whole, optimizer, range(3, 6))
    stepped(resumed, other, range(3, 6))
    assert all(torch.equal(*pair) for pair in zip(whole, resumed, strict=True))
    assert json.dumps(optimizer.state_dict()["param_groups"]) == json.dumps(other.state_dict()["param_groups"])
