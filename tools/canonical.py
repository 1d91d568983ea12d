"""The one form in which an executed notebook is stored: nothing in it depends on when or by whom it was run."""

import re

import nbformat
from nbformat import NotebookNode

from tools.project import colab_cell

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}
WIDGETS = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CELL_METADATA = ("tags", "editable", "deletable")


def normalise(notebook: NotebookNode) -> NotebookNode:
    """A copy of the notebook in stored form; doing it twice changes nothing.

    The first code cell is the Colab cell; cell ids are kept or derived from the position; of the cells' metadata the
    tags remain; tracebacks are cut to their last line (they hold paths); text printed in a row is one output; widget
    models are numbered in order.
    """
    notebook = nbformat.from_dict(notebook)
    _first_cell(notebook)
    seen: set[str] = set()
    for position, cell in enumerate(notebook.cells):
        if not CELL_ID.fullmatch(cell.get("id", "")) or cell.id in seen:
            cell.id = f"cell-{position:02d}"
        seen.add(cell.id)
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata})
        if cell.cell_type == "code":
            cell.outputs = _outputs(cell.outputs)
    kept = {key: notebook.metadata[key] for key in ("lmcourse", "widgets") if key in notebook.metadata}
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE, **kept})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return _number_widgets(notebook)


def dumps(notebook: NotebookNode) -> str:
    """The text of the notebook file: sorted keys, one space of indentation, a newline at the end."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def widget_state(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The saved widget models by id."""
    return notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})


def _first_cell(notebook: NotebookNode) -> None:
    first = next((i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), len(notebook.cells))
    if first == len(notebook.cells) or "google.colab" not in notebook.cells[first].source:
        notebook.cells.insert(first, nbformat.v4.new_code_cell(id="colab"))
    notebook.cells[first].source = colab_cell()


def _outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    stored: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "error":
            output.traceback = [f"{output.ename}: {output.evalue}"]
        # How printed text is cut into messages depends on the clock.
        if stored and output.output_type == stored[-1].output_type == "stream" and output.name == stored[-1].name:
            stored[-1].text += output.text
        else:
            stored.append(output)
    return stored


def _number_widgets(notebook: NotebookNode) -> NotebookNode:
    models = list(widget_state(notebook))
    text = nbformat.writes(notebook)
    # Two passes, so that a new id is never taken for an old one still to be replaced.
    for position, model in enumerate(models):
        text = text.replace(model, f"<widget {position}>")
    for position in range(len(models)):
        text = text.replace(f"<widget {position}>", f"{position:032x}")
    numbered = nbformat.reads(text, as_version=4)
    if models:
        state = widget_state(numbered)
        numbered.metadata.widgets[WIDGETS].state = nbformat.from_dict(dict(sorted(state.items())))
    return numbered
