"""The commands around the package: make's list and its check of Python, the CI script, and the rule about skips."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess:
    # Without what an outer make or pytest hands down.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTEST"))}
    environment = inherited | variables
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_help_lists_every_command_and_readme_names_it() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    listed = re.findall(r"^make (\w+) ", run("make", "help").stdout, re.MULTILINE)
    assert sorted(listed) == sorted(phony)
    assert set(re.findall(r"make (\w+)", (ROOT / "README.md").read_text())) >= set(listed) - {"help", "wheel"}


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_documents_name_only_what_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert set(re.findall(r"`make (\w+)`", text)) <= set(phony)
    paths = re.findall(r"`((?:book|lmcourse|tests|benchmarks|notebooks|tools)/[^`]*|[A-Z_]*\.\w+|LICENSE[-\w]*)`", text)
    assert len(paths) > 5
    assert [path for path in paths if not re.search("NAME|SUBJECT", path) and not (ROOT / path).exists()] == []


def test_the_code_in_the_readme_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    done = run(sys.executable, "-c", code)
    assert done.stderr == ""
    assert len(done.stdout.split()) > 5


@pytest.mark.parametrize(("version", "good"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_make_refuses_another_python(version: tuple[int, int], good: bool, tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    # A Python that says it is of another version, and makes no environment.
    python.write_text(
        f'#!/bin/sh\n[ "$1" = -c ] || exit 9\n'
        f'exec {sys.executable} -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$2"\n'
    )
    python.chmod(0o755)
    done = run("make", "PYTHON=./python", ".venv/.ready", cwd=tmp_path)
    assert done.returncode == 2
    complaint = f"./python is Python {version[0]}.{version[1]}; the course needs 3.11, 3.12 or 3.13"
    assert (complaint in done.stderr) != good
    assert ("-m venv" in done.stdout) == good


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder for PATH with the shell's own tools and an apt-get that writes down what it is asked."""
    for tool in ("bash", "env", "dirname", "id", "cat"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    command(tmp_path, "sudo", '"$@"')
    command(tmp_path, "apt-get", f'echo "apt-get $*" >> {tmp_path}/log')
    command(tmp_path, "make", f'echo "make $* CI=$CI" >> {tmp_path}/log')
    return tmp_path


def command(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def test_ci_installs_a_browser_and_runs_the_tests(machine: Path) -> None:
    assert run(str(ROOT / ".ci" / "run"), cwd=machine, PATH=str(machine)).returncode == 0
    install = "apt-get install --yes --no-install-recommends chromium"
    assert (machine / "log").read_text().splitlines() == ["apt-get update", install, "make test CI=true"]


def test_ci_installs_nothing_where_there_is_a_browser(machine: Path) -> None:
    command(machine, "chromium", "true")
    assert run(str(ROOT / ".ci" / "run"), cwd=machine, PATH=str(machine)).returncode == 0
    assert (machine / "log").read_text() == "make test CI=true\n"


@pytest.mark.parametrize("broken", ["make", "apt-get"])
def test_ci_fails_when_a_step_fails(machine: Path, broken: str) -> None:
    command(machine, broken, "exit 3")
    assert run(str(ROOT / ".ci" / "run"), cwd=machine, PATH=str(machine)).returncode == 3


SKIPS = """
import pytest

@pytest.fixture
def browser():
    pytest.skip("no browser")

def test_fixture(browser): pass
def test_body(): pytest.skip("not today")
@pytest.mark.skip(reason="marked")
def test_mark(): pass
@pytest.mark.xfail(reason="known")
def test_known(): assert False
def test_good(): pass
"""


@pytest.mark.parametrize(
    ("ci", "counts"),
    [("", "1 passed, 4 skipped, 1 xfailed"), ("true", "1 failed, 1 passed, 1 xfailed, 3 errors")],
)
def test_a_skip_is_a_failure_in_ci_only(ci: str, counts: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_skips.py").write_text(SKIPS)
    (tmp_path / "test_import.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    options = ["-p", "no:cacheprovider", "--continue-on-collection-errors"]
    done = run(sys.executable, "-m", "pytest", *options, str(tmp_path), cwd=tmp_path, CI=ci)
    assert counts in done.stdout
    assert ("a skip is a failure in CI" in done.stdout) == bool(ci)
