"""Grade a class: submissions in parallel, results kept one by one, so that an interrupted run goes on."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from lmcourse.homework.confine import Limits
from lmcourse.homework.grading import Key, Record, grade, load_key
from lmcourse.homework.isolation import Nursery
from lmcourse.homework.submission import Submission, digest, label

_worker: dict[str, Any] = {}


def grade_all(
    submissions: Sequence[Submission],
    key: Key,
    masters: Path,
    results: Path,
    *,
    limits: Limits | None = None,
    workers: int = 1,
    fresh: bool = False,
    done: Callable[[Record], None] = lambda _: None,
) -> list[Record]:
    """Grade submissions and return their records in order; each is stored in `results` as soon as it is known.

    A stored record is taken over if neither the submission nor the checks nor the salt have changed since, unless
    `fresh`. `done` is called after each submission.
    """
    results.mkdir(parents=True, exist_ok=True)
    records: dict[str, Record] = {}
    for submission in submissions:
        kept = None if fresh else stored(results, submission, key)
        if kept is not None:
            records[submission.student] = kept
            done(kept)
    left = [submission for submission in submissions if submission.student not in records]
    for record in _graded(left, key, masters, limits or Limits(), workers):
        _store(results, record)
        records[record["student"]] = record
        done(record)
    return [records[submission.student] for submission in submissions]


def stored(results: Path, submission: Submission, key: Key) -> Record | None:
    """The record of an earlier run, if it is still true."""
    try:
        record: Record = json.loads((results / f"{label(submission.student)}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return record if record["key"] == key.fingerprint and record["digest"] == digest(submission) else None


def _graded(left: list[Submission], key: Key, masters: Path, limits: Limits, workers: int) -> Iterator[Record]:
    if workers <= 1 or len(left) <= 1:
        if left:
            with Nursery(limits) as nursery:
                yield from (grade(submission, key, nursery) for submission in left)
        return
    # Spawned, not forked: a worker must not share what this process holds open.
    with ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _prepare, (masters, key.homework, key.salt, limits)
    ) as pool:
        futures = [pool.submit(_grade, submission) for submission in left]
        for future in as_completed(futures):
            yield future.result()


def _prepare(masters: Path, homework: str, salt: str | None, limits: Limits) -> None:
    nursery = Nursery(limits)
    multiprocessing.util.Finalize(nursery, nursery.__exit__, (None, None, None), exitpriority=10)  # type: ignore[attr-defined]
    _worker.update(key=load_key(masters, homework, salt), nursery=nursery)


def _grade(submission: Submission) -> Record:
    return grade(submission, _worker["key"], _worker["nursery"])


def _store(results: Path, record: Record) -> None:
    name = label(record["student"])
    partial = results / f"{name}.partial"
    partial.write_text(json.dumps(record, indent=1, ensure_ascii=True) + "\n", "utf-8")
    partial.replace(results / f"{name}.json")
