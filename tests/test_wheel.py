"""The wheel in `build/dist`, and `build/wheel-env` in which it alone is installed; `make test` makes both."""

import os
import subprocess
import tomllib
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / "build" / "wheel-env" / "bin" / "python"


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    wheels = sorted((ROOT / "build" / "dist").glob("*.whl"))
    assert len(wheels) == 1, f"expected one wheel, found {wheels}: run `make build/wheel-env/.ready`"
    return zipfile.ZipFile(wheels[0])


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return HeaderParser().parsestr(wheel.read(name).decode())


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def in_wheel_env(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run([PYTHON, *arguments], cwd=folder, env=clean, capture_output=True, text=True, check=False)


def test_holds_what_git_tracks_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(["git", "ls-files", "lmcourse"], cwd=ROOT, capture_output=True, text=True, check=True)
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == set(tracked.stdout.split())


def test_is_built_from_these_sources(wheel: zipfile.ZipFile) -> None:
    packed = [name for name in wheel.namelist() if ".dist-info/" not in name]
    assert [name for name in packed if wheel.read(name) != (ROOT / name).read_bytes()] == []


def test_metadata(metadata: Message) -> None:
    declared = project()
    assert metadata["Name"] == "lmcourse"
    assert metadata["Version"] == declared["version"]
    assert metadata["Requires-Python"] == declared["requires-python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("Provides-Extra") == list(declared["optional-dependencies"])
    needed = {Requirement(line) for line in metadata.get_all("Requires-Dist") if "extra ==" not in line}
    assert needed == {Requirement(line) for line in declared["dependencies"]}


def test_carries_the_licence(wheel: zipfile.ZipFile) -> None:
    name = next(name for name in wheel.namelist() if name.endswith("/licenses/LICENSE"))
    assert b"Apache License" in wheel.read(name)


def test_the_package_comes_from_the_wheel(tmp_path: Path) -> None:
    code = "import lmcourse.assets, lmcourse; print(lmcourse.__file__)"
    done = in_wheel_env(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(PYTHON.parents[1] / "lib")


def test_what_is_installed_is_this_wheel(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    installed = Path(in_wheel_env(tmp_path, "-c", code).stdout.strip())
    packed = [name for name in wheel.namelist() if ".dist-info/" not in name]
    assert [name for name in packed if (installed / name).read_bytes() != wheel.read(name)] == []


def test_doctor_is_content_in_an_empty_directory(tmp_path: Path) -> None:
    done = in_wheel_env(tmp_path, "-m", "lmcourse", "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "for running the labs: installed" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_no_module_needs_more_than_the_wheel_declares(tmp_path: Path) -> None:
    code = (
        "import importlib, pkgutil, lmcourse\n"
        "for module in pkgutil.walk_packages(lmcourse.__path__, 'lmcourse.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
    )
    done = in_wheel_env(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr


def test_the_references_of_the_tests_are_not_there(tmp_path: Path) -> None:
    names = ("tiktoken", "sentence_transformers", "pytest")
    absent = f"import importlib.util as u; print([n for n in {names} if u.find_spec(n)])"
    assert in_wheel_env(tmp_path, "-c", absent).stdout == "[]\n"


def test_homework_is_checked_with_no_file_beside_the_notebook(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    code = "from lmcourse.homework import check; print(check('bpe_merge', lambda symbols, pair: symbols))"
    done = in_wheel_env(tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("bpe_merge: not yet.\n")
    assert "book/tokenization.md#" in done.stdout
    assert [name for name in wheel.namelist() if "hidden.py" in name or "bank/" in name or "ipynb" in name] == []
