"""A small lab with one output of every kind."""

import nbformat

from tools.canonical import dumps

PROSE = "# A tiny lab\n\nIts chapter is [Tokenization](../book/tokenization.md)."
CELLS = [
    "import ipywidgets\nfrom matplotlib import pyplot as plt\n\nfrom lmcourse import lab, claims",
    "print('one')\nfor _ in lab.progress(range(300), desc='work'):\n    print('.', end='')\nprint('two')\n1 + 1",
    "figure, axes = plt.subplots(figsize=(4, 3))\naxes.plot([1, 3, 2])\nlab.show(figure, alt='a line', key='line')",
    "for n in range(1, 7):\n    claims.settle(f'TOK{n}', checks={'n is positive': n > 0}, figure=n)",
    "lab.glue('share', 0.7512)\n2 + 2;",
    "ipywidgets.interact(lambda n: print('n =', n), n=(1, 5))\nNone",
]
ERROR = "raise ValueError('as announced')"


def unexecuted(sources=None):
    """The lab before its first run; with other `sources` a lab of those."""
    cells = [nbformat.v4.new_markdown_cell(PROSE)]
    cells += [nbformat.v4.new_code_cell(source) for source in sources or CELLS]
    if sources is None:
        cells.append(nbformat.v4.new_code_cell(ERROR, metadata={"tags": ["raises-exception"]}))
    return nbformat.v4.new_notebook(cells=cells)


def write(notebook, folder):
    """The lab as a file of a room that exists, alone in a folder."""
    path = folder / "tokenization" / "tokenization.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(notebook), encoding="utf-8")
    return path
