"""Interactive figures that run in the page: in the static book, in JupyterLab and in Colab."""

from lmcourse.widgets.attention_explorer import Attention, AttentionExplorer
from lmcourse.widgets.base import Figure, embed
from lmcourse.widgets.sampling_playground import Prompt, SamplingPlayground
from lmcourse.widgets.tokenizer_explorer import TokenizerExplorer

__all__ = ["Attention", "AttentionExplorer", "Figure", "Prompt", "SamplingPlayground", "TokenizerExplorer", "embed"]
