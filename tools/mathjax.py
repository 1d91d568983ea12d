"""Put MathJax into the book's static files: `python -m tools.mathjax`.

The scripts come out of a wheel with a pinned hash, so the build needs no Node and the repository holds no copy.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REQUIREMENT = "django-static-mathjax==3.2.2.1"
SHA256 = "05ad109fd9e5d9d380c76389689b7f523e9ccb7f7a85c1eb962c7564eac7601d"
TARGET = Path("book/site/vendor/mathjax")
SOURCE = "mathjax/static/mathjax/"
# The page script, its fonts, and the TeX extensions that it loads by itself when a formula needs one (\boldsymbol).
WANTED = ("es5/tex-mml-chtml.js", "es5/output/chtml/fonts/woff-v2/", "es5/input/tex/extensions/")


def download(folder: Path) -> Path:
    """The wheel, fetched by pip into `folder`; pip refuses it if the hash differs (CalledProcessError)."""
    pinned = folder / "mathjax.txt"
    pinned.write_text(f"{REQUIREMENT} --hash=sha256:{SHA256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "--dest", str(folder), "--requirement", str(pinned)], check=True)
    return next(folder.glob("*.whl"))


def unpack(wheel: Path, target: Path) -> int:
    """Copy the wanted files of `wheel` and its licence into `target`; returns how many."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            inside = name.removeprefix(SOURCE)
            if not name.endswith("/") and (inside == "LICENSE" or inside.startswith(WANTED)):
                file = target / inside.removeprefix("es5/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(archive.read(name))
    return sum(file.is_file() for file in target.rglob("*"))


def install(target: Path = TARGET) -> bool:
    """Install into `target`; False, and no network, when this version is there already."""
    stamp = target / "VERSION"
    if stamp.exists() and stamp.read_text() == REQUIREMENT:
        return False
    with tempfile.TemporaryDirectory() as folder:
        unpack(download(Path(folder)), target)
    stamp.write_text(REQUIREMENT)
    return True


if __name__ == "__main__":
    print(f"MathJax {'installed in' if install() else 'already in'} {TARGET}")
