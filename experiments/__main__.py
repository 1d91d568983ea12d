"""Recorded runs: `python -m experiments list`, `run NAME...`, `check [NAME...]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from experiments.base import Experiment, agree, all_experiments, check, describe, run
from lmcourse.recorded import runs


def main(arguments: Sequence[str] | None = None) -> int:
    """List, run or check; 1 if a figure of a record does not come out again."""
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what there is, and what has been recorded")
    commands.add_parser("run", help="train and record").add_argument("names", nargs="+", metavar="NAME")
    checking = commands.add_parser("check", help="recompute the figures of records from their models")
    checking.add_argument("names", nargs="*", metavar="NAME", help="all recorded ones unless given")
    chosen = parser.parse_args(arguments)
    experiments = all_experiments()
    recorded = [name for name in experiments if name in runs.names()]
    names = getattr(chosen, "names", []) or recorded
    unknown = [name for name in names if name not in experiments]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(experiments)}", file=sys.stderr)
        return 2
    missing = [name for name in names if chosen.command == "check" and name not in recorded]
    if missing:
        print(f"not recorded: {', '.join(missing)}", file=sys.stderr)
        return 2
    if chosen.command == "list":
        for name, experiment in experiments.items():
            print(f"{'*' if name in recorded else ' '} {name:28} {experiment.description}")
        return 0
    if chosen.command == "run":
        for name in names:
            print(name)
            print(describe(run(experiments[name])))
        return 0
    return _check([experiments[name] for name in names])


def _check(chosen: Sequence[Experiment]) -> int:
    wrong = 0
    for experiment in chosen:
        for figure, (then, now) in check(experiment).items():
            same = agree(then, now)
            wrong += not same
            print(f"{'ok ' if same else 'NOT'} {experiment.name} {figure}: recorded {then:.4f}, now {now:.4f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
