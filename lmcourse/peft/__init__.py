"""Parameter-efficient fine-tuning: adapt a model by few new weights. Chapter: peft."""

from lmcourse.peft.adapters import Adapters
from lmcourse.peft.base import Method, method_of, trained
from lmcourse.peft.bitfit import BitFit
from lmcourse.peft.exchange import read_hub, write_hub
from lmcourse.peft.lora import LoRA
from lmcourse.peft.prefix_tuning import PrefixTuning
from lmcourse.peft.prompt_tuning import PromptTuning
from lmcourse.peft.registry import methods
from lmcourse.peft.rows import each_row
from lmcourse.peft.store import load, save

__all__ = [
    "Adapters",
    "BitFit",
    "LoRA",
    "Method",
    "PrefixTuning",
    "PromptTuning",
    "each_row",
    "load",
    "method_of",
    "methods",
    "read_hub",
    "save",
    "trained",
    "write_hub",
]
