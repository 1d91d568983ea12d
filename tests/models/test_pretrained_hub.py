"""Folders in the hub's format, and the hub itself without a network."""

import json
import sys

import huggingface_hub
import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from lmcourse import assets
from lmcourse.models.pretrained import load, load_tokenizer

SIZES = {"vocab_size": 30, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 12}


@pytest.fixture
def folder(tmp_path):
    """A small BERT in three files."""
    hf.BertForMaskedLM(hf.BertConfig(**SIZES, max_position_embeddings=16)).save_pretrained(
        tmp_path / "bert", max_shard_size="1KB"
    )
    assert len(list((tmp_path / "bert").glob("*.safetensors"))) > 2
    return tmp_path / "bert"


@pytest.fixture
def index(folder):
    return folder / "model.safetensors.index.json"


def shard(folder):
    return sorted(folder.glob("model-*.safetensors"))[1]


def test_a_folder_by_path_or_text(folder):
    ids = torch.tensor([[3, 4, 5]])
    assert torch.equal(load(folder)(ids), load(str(folder))(ids))


def test_types(folder):
    assert {p.dtype for p in load(folder, dtype=torch.bfloat16).parameters()} == {torch.bfloat16}
    path = shard(folder)
    save_file({name: x.half() for name, x in load_file(path).items()}, path)
    assert {p.dtype for p in load(folder).parameters()} == {torch.float32}
    with pytest.raises(ValueError, match=r"torch\.int8"):
        load(folder, dtype=torch.int8)


@pytest.mark.parametrize("file", ["config.json", "model-00002"])
def test_a_missing_file(folder, file):
    path = next(path for path in folder.iterdir() if path.name.startswith(file))
    path.unlink()
    with pytest.raises(FileNotFoundError, match=path.name):
        load(folder)


def test_no_weights(folder, index):
    index.unlink()
    with pytest.raises(FileNotFoundError, match=r"neither model\.safetensors nor"):
        load(folder)


def test_pickles_are_refused(folder, index):
    index.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ValueError, match=r"only pytorch_model\.bin: pickles are not read"):
        load(folder)


@pytest.mark.parametrize("content", ["{", "[1]", "\x00"])
def test_a_garbled_configuration(folder, content):
    (folder / "config.json").write_text(content)
    with pytest.raises(ValueError, match=r"config\.json (is no JSON|must hold an object)"):
        load(folder)


@pytest.mark.parametrize("keep", [0, 5, 60, -1])
def test_a_truncated_shard(folder, keep):
    path = shard(folder)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=rf"{path.name} is damaged"):
        load(folder)


def test_a_garbled_shard(folder):
    path = shard(folder)
    path.write_bytes(path.read_bytes()[::-1])
    with pytest.raises(ValueError, match=rf"{path.name} is damaged"):
        load(folder)


def test_an_index_that_differs(folder, index):
    fields = json.loads(index.read_text())
    fields["weight_map"]["bert.extra.weight"] = shard(folder).name
    index.write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=rf"{shard(folder).name} and the index differ in \['bert\.extra\.weight'\]"):
        load(folder)
    fields["weight_map"]["bert.extra.weight"] = "../other.safetensors"
    index.write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=r"outside of its folder: '\.\./other\.safetensors'"):
        load(folder)
    index.write_text("{}")
    with pytest.raises(ValueError, match="no weight_map"):
        load(folder)


@pytest.mark.parametrize("name", ["gpt5", "smollm3"])
def test_an_unknown_name(name):
    for function in (load, load_tokenizer):
        with pytest.raises(ValueError, match=rf"'{name}' is neither 'smollm2'"):
            function(name)


@pytest.mark.parametrize("name", ["/absent/folder", "../absent", "./absent", "a/b/c", "own er/name"])
def test_an_absent_folder(name):
    for function in (load, load_tokenizer):
        with pytest.raises(FileNotFoundError, match=name):
            function(name)


@pytest.fixture
def hub(folder, monkeypatch):
    """A hub with one model; the requests that it got."""
    requests = []

    def snapshot_download(name, *, allow_patterns):
        requests.append((name, allow_patterns))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return requests


def test_a_name_on_the_hub(folder, hub):
    ids = torch.tensor([[3, 4, 5]])
    assert torch.equal(load("some-one/bert_tiny.v2")(ids), load(folder)(ids))
    ((name, patterns),) = hub
    assert name == "some-one/bert_tiny.v2"
    assert {"config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json"} < set(patterns)
    assert not any(pattern.endswith((".bin", "*")) for pattern in patterns)
    assert all(any(path.match(pattern) for pattern in patterns) for path in folder.glob("*.safetensors"))


def test_a_tokenizer_of_a_folder_and_of_the_hub(folder, hub):
    with pytest.raises(FileNotFoundError):
        load_tokenizer(folder)
    (folder / "tokenizer.json").write_bytes(assets.path("minilm", "tokenizer.json").read_bytes())
    assert load_tokenizer(folder) == load_tokenizer("some/bert") == load_tokenizer("minilm")
    assert len(hub) == 1


def test_without_the_hub_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"some/model is on the hub.*pip install huggingface_hub"):
        load("some/model")
