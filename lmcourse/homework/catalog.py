"""Where questions are found: by homework, and by their own name, which no two homeworks share."""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
import runpy
from collections.abc import Sequence
from pathlib import Path

from lmcourse.homework import checks
from lmcourse.homework.questions import Competition, Example, Property, Question

Extra = dict[str, Sequence[Example | Property]]


def names() -> list[str]:
    """The homeworks, in order."""
    return sorted(module.name for module in pkgutil.iter_modules(checks.__path__) if module.name.startswith("hw"))


def questions(homework: str) -> dict[str, Question | Competition]:
    """The questions of a homework by name, in order; ValueError for a homework that does not exist."""
    if homework not in names():
        raise ValueError(f"no homework {homework!r}; there are {', '.join(names())}")
    module = importlib.import_module(f"{checks.__name__}.{homework}")
    return {question.name: question for question in module.QUESTIONS}


def find(name: str) -> Question | Competition:
    """The question of this name; ValueError if no homework asks it."""
    for homework in names():
        found = questions(homework).get(name)
        if found is not None:
            return found
    every = [question for homework in names() for question in questions(homework)]
    raise ValueError(f"no question {name!r}; there are {', '.join(every)}")


def hidden(file: Path) -> Extra:
    """`EXTRA` of a file of hidden checks: more examples and properties by question."""
    return dict(runpy.run_path(str(file))["EXTRA"])


def link(section: str) -> str:
    """The address of a section of a chapter, given as "tokenization#wordpiece"."""
    page, _, anchor = section.partition("#")
    return f"{address()}/blob/main/book/{page}.md#{anchor}"


def address() -> str:
    """The address of the course's repository, from the package's metadata."""
    urls = importlib.metadata.metadata("lmcourse").get_all("Project-URL") or []
    return next((url.split(", ")[1] for url in urls if url.startswith("Repository, ")), "")
