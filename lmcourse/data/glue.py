"""Files in the format of GLUE: nine tasks on a sentence or a pair, a table with tabs for each.

| task | about | label |
| --- | --- | --- |
| cola | is the sentence grammatical? | 0 no, 1 yes |
| sst2 | is the reviewer pleased? | 0 no, 1 yes |
| mrpc, qqp | do two sentences, two questions say the same? | 0 no, 1 yes |
| stsb | how alike are two sentences? | a number from 0 to 5 |
| mnli | does the first sentence imply the second? | 0 entailment, 1 neutral, 2 contradiction |
| qnli, rte | does the sentence answer the question, or follow? | 0 entailment, 1 not |
| wnli | does the sentence with its pronoun resolved follow? | 0 no, 1 yes |

The course does not have the data; whoever has a file reads it with `read_glue`. Chapter: fine_tuning. Source: Wang et
al. 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ENTAILMENT = ("entailment", "not_entailment")


class Example(NamedTuple):
    """One text or two, and the label: a class, a score (stsb), or None in a test file, whose labels are secret."""

    first: str
    second: str | None
    label: int | float | None


@dataclass(frozen=True)
class Task:
    """Where a task's table has its texts and its label, and the labels in the order of their numbers; without labels
    the label is a number. `fixed` names the columns of files without a first line that does."""

    texts: tuple[str, ...]
    label: str
    labels: tuple[str, ...] = ("0", "1")
    fixed: tuple[str, ...] = ()


TASKS = {
    "cola": Task(("sentence",), "label", fixed=("source", "label", "mark", "sentence")),
    "sst2": Task(("sentence",), "label"),
    "mrpc": Task(("#1 String", "#2 String"), "Quality"),
    "qqp": Task(("question1", "question2"), "is_duplicate"),
    "stsb": Task(("sentence1", "sentence2"), "score", ()),
    "mnli": Task(("sentence1", "sentence2"), "gold_label", ("entailment", "neutral", "contradiction")),
    "qnli": Task(("question", "sentence"), "label", ENTAILMENT),
    "rte": Task(("sentence1", "sentence2"), "label", ENTAILMENT),
    "wnli": Task(("sentence1", "sentence2"), "label"),
}


def read_glue(path: Path | str, task: str) -> list[Example]:
    """The examples of a file of a task, in their order.

    ValueError for another task, and with file, line and value for a line with too few or too many columns, or a label
    that there is not. OSError if it cannot be read.
    """
    if task not in TASKS:
        raise ValueError(f"unknown task {task!r}; there are {', '.join(TASKS)}")
    form = TASKS[task]
    lines = Path(path).read_text(encoding="utf-8-sig").rstrip("\n").split("\n")
    header = [name.strip() for name in lines[0].split("\t")]
    named = form.fixed == () or header == ["index", *form.texts]  # CoLA names its columns in the test file alone
    columns = header if named else list(form.fixed)
    missing = [name for name in form.texts if name not in columns]
    if missing:
        raise ValueError(f"{path}, line 1: the columns {missing} of {task} are missing among {columns[:20]}")
    start = 1 if named else 0
    return [
        _example(line, columns, form, f"{path}, line {number}") for number, line in enumerate(lines[start:], start + 1)
    ]


def _example(line: str, columns: Sequence[str], form: Task, place: str) -> Example:
    cells = line.rstrip("\r").split("\t")
    if len(cells) != len(columns):
        raise ValueError(f"{place}: {len(columns)} columns are needed, not {len(cells)}: {line[:80]!r}")
    row = dict(zip(columns, cells, strict=True))
    texts = [row[name] for name in form.texts]
    label = _label(row[form.label], form.labels, place) if form.label in row else None
    return Example(texts[0], texts[1] if len(texts) > 1 else None, label)


def _label(text: str, labels: Sequence[str], place: str) -> int | float:
    if labels:
        if text not in labels:
            raise ValueError(f"{place}: the label {text!r} is none of {', '.join(labels)}")
        return labels.index(text)
    try:
        score = float(text)
    except ValueError:
        raise ValueError(f"{place}: the score {text!r} is no number") from None
    if not 0 <= score <= 5:
        raise ValueError(f"{place}: the score {text!r} is not between 0 and 5")
    return score
