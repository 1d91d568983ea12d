"""pyproject.toml, requirements.lock and environment.yml say the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"pytorch": "torch"}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared(*extras: str) -> dict[str, SpecifierSet]:
    lines = list(project()["dependencies"])
    for extra in extras:
        lines += project()["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(line).name): Requirement(line).specifier for line in lines}


def lock_lines() -> list[str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def pins() -> dict[str, Version]:
    return {canonicalize_name(name): Version(version) for name, version in (line.split("==") for line in lock_lines())}


def conda() -> list:
    return yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


@pytest.mark.parametrize("line", lock_lines())
def test_the_lock_has_exact_pins_only(line: str) -> None:
    # A local version such as +cpu exists on one index only; plain 2.13.0 takes what the machine's index has.
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)


def test_the_lock_is_sorted_and_names_nothing_twice() -> None:
    names = [canonicalize_name(line.split("==")[0]) for line in lock_lines()]
    assert names == sorted(set(names))


@pytest.mark.parametrize("extra", sorted(project()["optional-dependencies"]))
def test_every_dependency_is_pinned_within_its_bounds(extra: str) -> None:
    wrong = {name: (pins().get(name), bounds) for name, bounds in declared(extra).items() if name not in pins()}
    wrong |= {name: (pins()[name], bounds) for name, bounds in declared(extra).items() if pins()[name] not in bounds}
    assert wrong == {}


def test_users_bounds_are_wide() -> None:
    # An upper bound downgrades a Colab runtime. Jupyter Book 2 ignores _config.yml and builds nothing.
    above = [
        name
        for name, bounds in declared("lab", "jupyter", "book", "test").items()
        if any(bound.operator != ">=" for bound in bounds)
    ]
    assert above == ["jupyter-book"]
    assert Version("2.0") not in declared("book")["jupyter-book"]


def test_environment_agrees_with_pyproject() -> None:
    packages = [Requirement(entry) for entry in conda() if isinstance(entry, str) and not entry.startswith("python ")]
    bounds = {CONDA_NAMES.get(package.name, package.name): package.specifier for package in packages}
    assert bounds.pop("pip") == SpecifierSet()
    assert bounds == declared("lab", "jupyter", "book")


def test_environment_has_a_python_of_the_course() -> None:
    version = next(entry for entry in conda() if isinstance(entry, str) and entry.startswith("python ")).split("=")[1]
    assert version in {"3.11", "3.12", "3.13"}
    assert Version(version) in SpecifierSet(project()["requires-python"])


def test_environment_takes_the_package_itself_from_the_clone() -> None:
    assert [entry["pip"] for entry in conda() if isinstance(entry, dict)] == [["-e ."]]


def test_pythons_are_the_same_everywhere() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "(3, 11) <= v <= (3, 13)" in makefile
    assert project()["requires-python"] == ">=3.11"


def test_version_has_an_entry_in_the_changelog() -> None:
    assert f"## [{project()['version']}]" in (ROOT / "CHANGELOG.md").read_text()
