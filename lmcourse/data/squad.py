"""Files in the format of SQuAD v1.1: passages of Wikipedia, questions, and answers marked in the passage.

    {"data": [{"title": …, "paragraphs": [{"context": …, "qas": [
        {"id": …, "question": …, "answers": [{"text": …, "answer_start": …}]}]}]}]}

The course does not have the data; whoever has a file reads it with `read_squad`. Chapter: fine_tuning. Source:
Rajpurkar et al. 2016.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lmcourse.data.questions import Answer, Question


def read_squad(path: Path | str) -> list[Question]:
    """The questions of a file in their order.

    ValueError with the file and the place in it if it is no such file, or an answer is not where it is said to be; also
    for a question without an answer, which only SQuAD v2.0 has. OSError if it cannot be read.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # no JSON, or no UTF-8
        raise ValueError(f"{path} is no JSON: {error}") from None
    found = []
    for i, article in enumerate(_list(content, "data", f"{path}")):
        for j, paragraph in enumerate(_list(article, "paragraphs", f"{path}, data[{i}]")):
            place = f"{path}, data[{i}].paragraphs[{j}]"
            for k, entry in enumerate(_list(paragraph, "qas", place)):
                found.append(_question(paragraph, entry, place, f"{place}.qas[{k}]"))
    return found


def _question(paragraph: Any, entry: Any, above: str, place: str) -> Question:
    answers = tuple(
        Answer(
            _value(one, "text", str, f"{place}.answers[{n}]"), _value(one, "answer_start", int, f"{place}.answers[{n}]")
        )
        for n, one in enumerate(_list(entry, "answers", place))
    )
    passage = _value(paragraph, "context", str, above)
    asked, name = (_value(entry, key, str, place) for key in ("question", "id"))
    try:
        return Question(name, asked, passage, answers)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _list(holder: Any, key: str, place: str) -> list[Any]:
    return list(_value(holder, key, list, place))


def _value(holder: Any, key: str, kind: type, place: str) -> Any:
    value = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{place}: {key!r} must be a {kind.__name__}, not {str(value)[:80]!r}")
    return value
