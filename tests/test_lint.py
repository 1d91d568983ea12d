"""Lint, format and types of the whole repository, by the tools' own commands."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    assert run("ruff", "check") == (0, "All checks passed!\n")


def test_everything_is_formatted() -> None:
    status, output = run("ruff", "format", "--check")
    assert status == 0, output


def test_types_hold() -> None:
    status, output = run("mypy")
    assert status == 0, output


@pytest.mark.parametrize(
    ("tool", "code", "complaint"),
    [
        (("ruff", "check"), '"""A module."""\n\nimport os\n', "F401"),
        (("ruff", "check"), '"""A module."""\n\n\ndef f(x):\n    return x\n', "ANN001"),
        (("ruff", "format", "--check"), '"""A module."""\nx = {  1:2}\n', "would be reformatted"),
        (("mypy",), '"""A module."""\n\n\ndef f(x) -> int:\n    return x\n', "no-untyped-def"),
        (("mypy",), '"""A module."""\n\nx: int = "one"\n', "assignment"),
    ],
)
def test_the_settings_see(tool: tuple[str, ...], code: str, complaint: str, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(code)
    settings = ("--config-file" if tool[0] == "mypy" else "--config", str(ROOT / "pyproject.toml"))
    status, output = run(*tool, *settings, str(module))
    assert status == 1
    assert complaint in output
