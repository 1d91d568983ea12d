"""Where things are, and what every lab has in common."""

import platform
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
NOTEBOOKS = ROOT / "notebooks"
BOOK = ROOT / "book"

COLAB_CELL = """\
# In Colab this installs the course; anywhere else it does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install -q "lmcourse[lab] @ git+REPOSITORY_URL"
    !python -m lmcourse assets"""


def repository_url(config: Path = ROOT / "_config.yml") -> str:
    """The repository's address, written in the book's configuration and nowhere else."""
    return yaml.safe_load(config.read_text(encoding="utf-8"))["repository"]["url"]


def colab_cell() -> str:
    """The first cell of every lab."""
    return COLAB_CELL.replace("REPOSITORY_URL", repository_url())


def labs(names: list[str] | None = None) -> list[Path]:
    """The notebooks of the course, or those named. Raises ValueError for a name without a notebook."""
    if not names:
        return sorted(NOTEBOOKS.glob("*.ipynb"))
    paths = [NOTEBOOKS / f"{Path(name).stem}.ipynb" for name in names]
    for path in paths:
        if not path.exists():
            raise ValueError(f"no lab {path.stem!r} in {NOTEBOOKS.name}/")
    return paths


def platform_tag(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Where two runs give the same bytes: `linux-x86_64-authenticamd-25-17`. Another processor adds in another order
    and rounds half precision otherwise, so that a trained model and all that is said of it differ in last digits."""
    tag = f"{platform.system()}-{platform.machine()}"
    if cpuinfo.exists():
        lines = (line.partition(":") for line in cpuinfo.read_text(encoding="utf-8").splitlines())
        found = {name.strip(): value.strip() for name, _, value in lines}
        tag += "".join(f"-{found[name]}" for name in ("vendor_id", "cpu family", "model") if name in found)
    return tag.lower()
