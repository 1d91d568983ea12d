"""Re-execute the labs in place, so that two runs give the same bytes: `python -m tools.notebooks [NAME...]`.

`--copy` instead prepares `build/labs/NAME/NAME.ipynb` for the notebook test, each alone in its folder, and the kernel
`lmcourse-wheel`, whose Python is that of `build/wheel-env`, in `build/jupyter` (a folder for JUPYTER_PATH).
"""

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.canonical import dumps, normalise
from tools.client import LabClient
from tools.meter import Meter
from tools.project import BUILD, labs, platform_tag

CELL_TIMEOUT = 600
KERNEL = "lmcourse-wheel"


def execute(notebook: NotebookNode) -> tuple[NotebookNode, Meter]:
    """Run all cells from an empty directory; gives the notebook in stored form and what the run took.

    Raises nbclient's CellExecutionError for an exception in a cell without the tag `raises-exception`, and ValueError
    for a cell that writes to stderr (its text would differ from run to run) or whose result cannot be displayed.
    """
    # As in the test: another number of threads adds in another order, and a sampled token may come out differently.
    os.environ["OMP_NUM_THREADS"] = "1"
    notebook = normalise(notebook)
    notebook.metadata.pop("widgets", None)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = LabClient(notebook, timeout=CELL_TIMEOUT, kernel_name="python3", resources=resources)
        client.execute()
    for position, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            _refuse(position, cell, output)
    notebook.metadata.lmcourse = {"platform": platform_tag()}
    return normalise(notebook), client.meter


def _refuse(position: int, cell: NotebookNode, output: NotebookNode) -> None:
    if output.get("name") == "stderr":
        raise ValueError(f"cell {position} writes to stderr: {output.text!r}; for progress: lmcourse.lab.progress")
    # IPython prints what goes wrong while an object is displayed, and goes on.
    if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
        raise ValueError(f"cell {position} shows an error: {output.traceback}")


def update(path: Path) -> None:
    """Execute one lab in place, whole or not at all, and print what it takes on a machine of its own."""
    notebook, meter = execute(nbformat.read(path, as_version=4))
    text = dumps(notebook)
    changed = text != path.read_text(encoding="utf-8")
    if changed:
        scratch = path.with_suffix(".tmp")
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    state = "changed" if changed else "same bytes"
    print(f"{path.stem}: {meter.needed:.0f} s, {meter.peak_bytes / 1e9:.2f} GB, {state}")


def copy(paths: list[Path], build: Path = BUILD) -> None:
    """Put each lab alone into `build/labs/NAME/` and write the kernel `lmcourse-wheel` into `build/jupyter`."""
    shutil.rmtree(build / "labs", ignore_errors=True)
    for path in paths:
        folder = build / "labs" / path.stem
        folder.mkdir(parents=True)
        shutil.copy(path, folder)
    python = build.absolute() / "wheel-env" / "bin" / "python"
    spec = {
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "lmcourse, as installed from its wheel",
        "language": "python",
    }
    folder = build / "jupyter" / "kernels" / KERNEL
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="labs to take; all if none is named")
    parser.add_argument("--copy", action="store_true", help="prepare the notebook test instead")
    arguments = parser.parse_args()
    paths = labs(arguments.names)
    if arguments.copy:
        copy(paths)
        return
    for path in paths:
        update(path)


if __name__ == "__main__":
    main()
