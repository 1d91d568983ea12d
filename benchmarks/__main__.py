"""Measure, and write `benchmarks/results/NAME.json`: `python -m benchmarks [NAME ...]`; `list` names them.

`--quick` does all the work on very little text, to see that it works; it writes only where `--output` says.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

from benchmarks.measure import disturbed
from benchmarks.report import holds, sentences

BENCHMARKS = {
    "tokenization": "training and encoding of BPE, WordPiece and unigram models on 34 MB of reviews",
    "decoding": "generation with SmolLM2, with and without cache, plain and speculative",
    "training": "a training step beside transformers, its utilisation and memory, the cost of Muon",
    "peft": "LoRA beside the library peft, merged weights, what each method of fine-tuning costs",
    "prompting": "label scores behind demonstrations with the shared prefix read once, beside transformers",
    "homework": "grading a class beside nbgrader",
    "retrieval": "BM25 beside bm25s; exact and approximate search from a thousand to a million vectors",
    "time_to_loss": "how long the recipe of the recorded runs takes to the loss of a GPT-2-style recipe",
}
RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run (default: all), or `list`")
    parser.add_argument("--quick", action="store_true", help="very little text: checks the benchmark, measures nothing")
    parser.add_argument("--output", type=Path, help="folder for the results")
    options = parser.parse_args(arguments)
    if options.names == ["list"]:
        print("\n".join(f"{name}: {what}" for name, what in BENCHMARKS.items()))
        return 0
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    return max(_record(name, options.quick, options.output) for name in options.names or BENCHMARKS)


def _record(name: str, quick: bool, output: Path | None) -> int:
    # What runs on all cores is slowed by other programs without waiting for them, so `disturbed` cannot tell.
    if not quick and (load := os.getloadavg()[0]) > 0.5:
        print(f"The load of the machine is {load:.1f}: what runs on all cores will seem slow.", file=sys.stderr)
    result = importlib.import_module(f"benchmarks.{name}").run(quick)
    for row in result["rows"]:
        print("  ".join(f"{cell:{'>16' if i else '<60'}}" for i, cell in enumerate(row)))
    print("\n".join(sentences(result["ratios"])))
    if names := [f"{entry['group']}: {entry['name']}" for entry in result["measurements"] if disturbed(entry)]:
        print("Disturbed by other programs, so measure again: " + "; ".join(names), file=sys.stderr)
    if folder := output or (None if quick else RESULTS):
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(result, indent=1, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return 0 if quick or all(map(holds, result["ratios"])) else 1


if __name__ == "__main__":
    raise SystemExit(main())
