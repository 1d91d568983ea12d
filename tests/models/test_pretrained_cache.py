"""The cache of weights: found again, never believed when damaged, never half written, never in the way."""

import errno
import os
import resource
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psutil
import pytest
import torch

from lmcourse.models import weight_cache
from lmcourse.models.weight_cache import cache_folder, cached

CONFIG = {"model_type": "llama", "rope_theta": 500.0, "tie_word_embeddings": True}


def tensors(rows=64):
    generator = torch.Generator().manual_seed(0)
    return {"a.weight": torch.randn(rows, 32, generator=generator), "b.weight": torch.randn(32, generator=generator)}


class Maker:
    """Makes the same weights each time and counts how often it had to."""

    def __init__(self, rows=64):
        self.calls, self.weights = 0, tensors(rows)

    def __call__(self, source):
        self.calls += 1
        return dict(CONFIG), {name: x.clone() for name, x in self.weights.items()}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LMCOURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "tiny.gguf"
    path.write_bytes(bytes(range(256)) * 40)
    return path


@pytest.fixture
def file(folder, source):
    """The file of a filled cache."""
    cached(source, Maker())
    return folder / "tiny.safetensors"


def assert_right(weights, maker):
    config, found = weights
    assert config == CONFIG
    assert found.keys() == maker.weights.keys()
    assert all(torch.equal(found[name], x) for name, x in maker.weights.items())


def made_again(source):
    """Ask the cache once; whether it had to make the weights, which are right in any case."""
    maker = Maker()
    assert_right(cached(source, maker), maker)
    return bool(maker.calls)


def test_parts_of_a_source_do_not_mix(folder, source):
    whole, part = Maker(), Maker(rows=8)
    for _ in range(2):
        assert_right(cached(source, whole), whole)
        assert_right(cached(source, part, part="tokenizer"), part)
    assert (whole.calls, part.calls) == (1, 1)
    assert sorted(path.name for path in folder.iterdir()) == ["tiny-tokenizer.safetensors", "tiny.safetensors"]


def test_made_once(folder, source):
    assert made_again(source)
    assert [path.name for path in folder.iterdir()] == ["tiny.safetensors"]
    assert not made_again(source)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LMCOURSE_CACHE": "/some/where", "XDG_CACHE_HOME": "/xdg"}, "/some/where"),
        ({"XDG_CACHE_HOME": "/xdg"}, "/xdg/lmcourse"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/me"}, "/me/.cache/lmcourse"),
        ({"XDG_CACHE_HOME": "", "LMCOURSE_CACHE": "", "HOME": "/me"}, "/me/.cache/lmcourse"),
    ],
)
def test_its_folder(monkeypatch, variables, expected):
    for name in ("LMCOURSE_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


@pytest.mark.parametrize("change", ["longer", "one byte"])
def test_a_changed_source(file, source, change):
    content = bytearray(source.read_bytes())
    if change == "longer":
        content += b"x"
    else:
        content[5000] ^= 1
    source.write_bytes(content)
    assert made_again(source)
    assert not made_again(source)


def test_a_source_with_another_date_is_the_same(file, source):
    os.utime(source, (1, 1))
    assert not made_again(source)


def test_another_way_of_making(file, source, monkeypatch):
    monkeypatch.setattr(weight_cache, "_VERSION", "other")
    assert made_again(source)


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, -1])
def test_a_truncated_file(file, source, keep):
    content = file.read_bytes()
    file.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    assert made_again(source)
    assert not made_again(source)


def test_one_flipped_byte_anywhere(file, source):
    """Every byte of the header, and a sample of the tensors' bytes."""
    content = file.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    places = [*range(0, header, 7), *range(header, len(content), 501), len(content) - 1]
    damaged = []
    for at in places:
        broken = bytearray(content)
        broken[at] ^= 0x01
        file.write_bytes(broken)
        damaged.append(made_again(source))
    assert sum(damaged) == len(places)


def test_exchanged_rows(file, source):
    content = file.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    first, second = content[start : start + 128], content[start + 128 : start + 256]
    file.write_bytes(content[:start] + second + first + content[start + 256 :])
    assert made_again(source)


def test_another_file_in_its_place(file, source):
    file.write_text("not safetensors")
    assert made_again(source)
    file.unlink()
    file.mkdir()
    with pytest.warns(UserWarning, match="could not be kept"):
        assert made_again(source)


def assert_only_warned(source, folder, reason):
    with pytest.warns(UserWarning, match=rf"tiny\.gguf could not be kept for the next time: .*{reason}"):
        assert made_again(source)
    left = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".gguf"] if folder.exists() else []
    assert left == []


def test_a_disk_that_fills_up(folder, source, tmp_path):
    """The real thing: no file may grow beyond 6,000 bytes, the weights need 8,300."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))
    try:
        assert_only_warned(source, folder, os.strerror(errno.EFBIG))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert made_again(source)
    assert not made_again(source)


def test_no_space_left(folder, source, monkeypatch):
    def full(weights, path, metadata):
        Path(path).write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(weight_cache, "save_file", full)
    assert_only_warned(source, folder, "No space left on device")


def test_an_interruption_leaves_nothing(folder, source, monkeypatch):
    def stopped(weights, path, metadata):
        Path(path).write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(weight_cache, "save_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        cached(source, Maker())
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_a_file(source, tmp_path, monkeypatch):
    (tmp_path / "plain").write_text("")
    monkeypatch.setenv("LMCOURSE_CACHE", str(tmp_path / "plain" / "cache"))
    assert_only_warned(source, tmp_path / "plain" / "cache", "Not a directory")


def test_a_folder_that_cannot_be_made(source, monkeypatch):
    monkeypatch.setenv("LMCOURSE_CACHE", "/proc/cache")
    assert_only_warned(source, Path("/proc/cache"), "/proc/cache")


def test_a_folder_without_permission(folder, source, monkeypatch):
    """Simulated: the superuser, who may run the tests, may write everywhere."""

    def refuse(*arguments, dir, **options):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(dir))

    monkeypatch.setattr(weight_cache.tempfile, "mkstemp", refuse)
    assert_only_warned(source, folder, "Permission denied")


def test_without_a_home(source, monkeypatch):
    for name in ("LMCOURSE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", nobody)
    with pytest.warns(UserWarning, match="Could not determine home directory"):
        assert made_again(source)


def test_a_second_process_that_was_faster(folder, source):
    """It filled the cache while we were making the weights: both are content, and the file is whole."""

    class Slow(Maker):
        def __call__(self, path):
            self.calls += 1
            assert made_again(path)
            return super().__call__(path)

    maker = Slow()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_right(cached(source, maker), maker)
    assert [path.name for path in folder.iterdir()] == ["tiny.safetensors"]
    assert not made_again(source)


def test_four_at_once(folder, source):
    """All find the cache empty, all write, in threads as processes would."""
    everyone = Barrier(4)

    class Together(Maker):
        def __call__(self, path):
            everyone.wait(timeout=60)
            return super().__call__(path)

    makers = [Together(rows=100_000) for _ in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda maker: cached(source, maker), makers))
    for weights, maker in zip(results, makers, strict=True):
        assert maker.calls == 1
        assert_right(weights, maker)
    assert [path.name for path in folder.iterdir()] == ["tiny.safetensors"]
    assert_right(cached(source, Maker()), makers[0])


def test_the_file_stays_when_weights_change(file, source):
    content = file.read_bytes()
    cached(source, Maker())[1]["a.weight"].zero_()
    assert file.read_bytes() == content


def test_weights_in_use_survive_a_new_file(file, source):
    maker = Maker()
    weights = cached(source, maker)
    source.write_bytes(b"another source")
    assert made_again(source)
    assert_right(weights, maker)


def test_mapped_not_copied(file, source):
    """Where the tensors lie in memory, the process sees the file itself."""
    for tensor in cached(source, Maker())[1].values():
        (path,) = (
            region.path
            for region in psutil.Process().memory_maps(grouped=False)
            if int(region.addr.split("-")[0], 16) <= tensor.data_ptr() < int(region.addr.split("-")[1], 16)
        )
        assert path == str(file)


def test_a_missing_source(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        cached(tmp_path / "absent.gguf", Maker())
