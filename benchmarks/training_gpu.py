"""`benchmarks.training` at the size of the smallest GPT-2 on a GPU: `python -m benchmarks.training_gpu FILE.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from benchmarks.measure import REPEATS
from benchmarks.report import sentences
from benchmarks.training import GPU, measured


def main(file: str) -> None:
    """Measure and write the result; ends with a message where there is no GPU."""
    if not torch.cuda.is_available():
        raise SystemExit("PyTorch sees no GPU here")
    result = measured(GPU, REPEATS)
    result |= {"title": "Training on a GPU", "machine": result["machine"] | {"GPU": torch.cuda.get_device_name()}}
    Path(file).write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print("\n".join(sentences(result["ratios"])))


if __name__ == "__main__":
    main(*sys.argv[1:])
