"""Interactive figures that run in the page: in the static book, in JupyterLab and in Colab."""

from lmcourse.widgets.attention_explorer import Attention, AttentionExplorer
from lmcourse.widgets.base import Figure, embed
from lmcourse.widgets.in_context_learning import InContextLearning
from lmcourse.widgets.lora_explorer import LoraExplorer, Update
from lmcourse.widgets.masked_predictions import MaskedPredictions, MaskedSentence
from lmcourse.widgets.rationale_viewer import RationaleViewer, SampledQuestion, SampledRationale
from lmcourse.widgets.retrieval_explorer import RetrievalExplorer, SearchedQuery
from lmcourse.widgets.sampling_playground import Prompt, SamplingPlayground
from lmcourse.widgets.span_corruption_stepper import SpanCorruptionStepper
from lmcourse.widgets.span_heat_map import SpanHeatMap, SpanQuestion
from lmcourse.widgets.tokenizer_explorer import TokenizerExplorer
from lmcourse.widgets.training_samples import Checkpoint, TrainingSamples

__all__ = [
    "Attention",
    "AttentionExplorer",
    "Checkpoint",
    "Figure",
    "InContextLearning",
    "LoraExplorer",
    "MaskedPredictions",
    "MaskedSentence",
    "Prompt",
    "RationaleViewer",
    "RetrievalExplorer",
    "SampledQuestion",
    "SampledRationale",
    "SamplingPlayground",
    "SearchedQuery",
    "SpanCorruptionStepper",
    "SpanHeatMap",
    "SpanQuestion",
    "TokenizerExplorer",
    "TrainingSamples",
    "Update",
    "embed",
]
