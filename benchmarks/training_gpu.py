"""`benchmarks.training` at the size of the smallest GPT-2 on a GPU: `python -m benchmarks.training_gpu FILE.json`.

`--quick` only sees whether it works.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.report import sentences
from benchmarks.training import GPU, QUICK, measured


def main() -> None:
    """Measure and write the result; ends with a message where there is no GPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("PyTorch sees no GPU here")
    quick = replace(QUICK, precisions=GPU.precisions, gpu=True)
    result = measured(quick if options.quick else GPU, 1)
    result |= {"title": "Training on a GPU", "machine": result["machine"] | {"GPU": torch.cuda.get_device_name()}}
    options.file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print("\n".join(sentences(result["ratios"])))


if __name__ == "__main__":
    main()
