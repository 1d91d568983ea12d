"""Interactive figures that run in the page: in the static book, in JupyterLab and in Colab."""

from lmcourse.widgets.base import Figure, embed
from lmcourse.widgets.tokenizer_explorer import TokenizerExplorer

__all__ = ["Figure", "TokenizerExplorer", "embed"]
