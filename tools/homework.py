"""Homework from its masters: `python -m tools.homework [NAME ...]` (make homework); `--bank NAME` measures its checks.

`homework/NAME/master.ipynb` is the source. Its nbgrader metadata are written in place; from it come the student's
notebook `homework/NAME/NAME.ipynb` and the page `book/NAME.md`, which are kept in git, and for instructors the
solution and the rubric in `build/homework/NAME/`, which are not.
"""

import argparse
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from lmcourse.homework import bank, catalog
from lmcourse.homework.master import BEGIN, END, Master, Part, read
from tools.canonical import dumps, normalise
from tools.project import BOOK, BUILD, ROOT, repository_url

HOMEWORK = ROOT / "homework"
STUB = {"code": "# YOUR CODE HERE\nraise NotImplementedError()", "markdown": "YOUR ANSWER HERE"}
HIDDEN_BEGIN, HIDDEN_END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
HIDDEN = f"""{HIDDEN_BEGIN}
from lmcourse.homework import hidden_points

hidden_points("{{name}}", {{name}}, {{points}})
{HIDDEN_END}"""
CHAPTERS = "../../book/"
"""How a master links to a chapter; in Colab nothing lies beside the notebook, so the address becomes a full one."""
SEEDS = 20


def names(chosen: list[str] | None = None) -> list[str]:
    """The homeworks that have a master, or those chosen; ValueError for one that has none."""
    known = sorted(path.parent.name for path in HOMEWORK.glob("*/master.ipynb"))
    if unknown := set(chosen or ()) - set(known):
        raise ValueError(f"no homework {sorted(unknown)} in {HOMEWORK.name}/; there are {', '.join(known)}")
    return chosen or known


def master_text(path: Path) -> str:
    """The master in stored form: the Colab cell, hidden tests and nbgrader's metadata follow from its content."""
    notebook = normalise(nbformat.read(path, as_version=4))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    scratch = path.with_suffix(".tmp")
    scratch.write_text(dumps(notebook), encoding="utf-8")
    master = read(scratch)
    scratch.unlink()
    for cell in notebook.cells:
        _grader(cell, f"text-{cell.id}", locked=True)
    for part in master.parts:
        _mark(notebook, part)
    return dumps(notebook)


def student(master: NotebookNode) -> NotebookNode:
    """The notebook that students get: every solution is a stub, and hidden tests are gone."""
    notebook = nbformat.from_dict(master)
    for cell in notebook.cells:
        cell.source = _without(cell.source, BEGIN, END, STUB[cell.cell_type])
        cell.source = cell.source.replace(CHAPTERS, f"{repository_url()}/blob/main/book/")
        cell.source = _without(cell.source, HIDDEN_BEGIN, HIDDEN_END, "").rstrip()
    return notebook


def solution(master: NotebookNode) -> NotebookNode:
    """The notebook with all answers, without markers and hidden tests."""
    notebook = nbformat.from_dict(master)
    for cell in notebook.cells:
        cell.source = _without(cell.source, HIDDEN_BEGIN, HIDDEN_END, "").rstrip()
        lines = cell.source.split("\n")
        cell.source = "\n".join(line for line in lines if line.strip() not in (BEGIN, END))
    return notebook


def rubric(master: Master) -> str:
    """What each question is graded by, in Markdown."""
    lines = [f"# Rubric: {master.title}", "", f"{master.points} points, about {hours(master)}.", ""]
    for part in master.parts:
        lines += [f"## {part.title} ({_points(part.points)})", ""]
        if part.open:
            lines += ["Graded by a person:", "", *(f"- {_points(points)}: {what}" for points, what in part.rubric), ""]
            continue
        question = catalog.find(part.name)
        lines += [f"`{part.name}` is graded by its checks. Mistakes that the feedback names:", ""]
        lines += [*(f"- {mistake.message}" for mistake in question.mistakes), ""]
    return "\n".join(lines)


def page(name: str, master: Master) -> str:
    """The page of the book: what the homework asks, points, time, and where to get it."""
    rows = [
        f"| {number} | {p.title} | {p.points} | {p.minutes} | {'by a person' if p.open else f'`{p.name}`'} |"
        for number, p in enumerate(master.parts, 1)
    ]
    path = f"homework/{name}/{name}.ipynb"
    return "\n".join(
        [
            f"# {master.title}",
            "",
            master.intro.replace(CHAPTERS, ""),
            "",
            "```{admonition} The notebook",
            ":class: seealso",
            f"[Open it in Colab](COLAB_URL/{path}) and run its first cell,",
            f"or [download it](REPOSITORY_URL/raw/main/{path}).",
            f"It has {master.points} points and takes about {hours(master)}. <!-- number: the author's estimate -->",
            f"Try your notebook before you hand it in: `python -m lmcourse check {name}.ipynb --homework {name}`.",
            "```",
            "",
            "| | question | points | minutes | function |",
            "| --- | --- | ---: | ---: | --- |",
            *rows,
            "",
            "How it is graded: [](instructors.md).",
            "",
        ]
    )


def hours(master: Master) -> str:
    """The time in words, to half an hour."""
    halves = max(1, round(master.minutes / 30))
    return f"{halves / 2:g} hour{'' if halves == 2 else 's'}"


def generated(name: str) -> dict[Path, str]:
    """Every file that follows from a master, the master itself among them."""
    folder, build = HOMEWORK / name, BUILD / "homework" / name
    text = master_text(folder / "master.ipynb")
    notebook = nbformat.reads(text, as_version=4)
    master = read(folder / "master.ipynb")
    return {
        folder / "master.ipynb": text,
        folder / f"{name}.ipynb": dumps(student(notebook)),
        BOOK / f"{name}.md": page(name, master),
        build / "solution.ipynb": dumps(solution(notebook)),
        build / "rubric.md": rubric(master),
    }


def measure(name: str, seeds: int = SEEDS) -> dict[str, bank.Tally]:
    """The tally of the bank of each question that a homework has."""
    extra = catalog.hidden(HOMEWORK / name / "hidden.py")
    salts = [str(seed) for seed in range(seeds)]
    return {
        question.name: bank.tally(
            question, bank.read(HOMEWORK / name / "bank" / f"{question.name}.py"), salts, extra.get(question.name, ())
        )
        for question in catalog.questions(name).values()
    }


def rates(found: dict[str, bank.Tally]) -> str:
    """Tallies as a table, and who got away."""
    lines = [f"{'':<24}{'wrong':>6}{'killed':>8}{'public':>8}{'named':>8}{'right':>7}{'hurt':>6}"]
    for name, t in found.items():
        killed, public, named = (t.wrong - len(alive) for alive in (t.alive, t.alive_in_public, t.unnamed))
        lines.append(f"{name:<24}{t.wrong:>6}{killed:>8}{public:>8}{named:>8}{t.right:>7}{len(t.hurt):>6}")
        labels = ("alive", "alive in public", "not named", "hurt")
        kinds = zip(labels, (t.alive, t.alive_in_public, t.unnamed, t.hurt), strict=True)
        lines += [f"    {label}: {', '.join(entries)}" for label, entries in kinds if entries]
    return "\n".join(lines)


def _mark(notebook: NotebookNode, part: Part) -> None:
    """Write the metadata of one question, and its hidden tests."""
    head, answer, *check = (notebook.cells[place] for place in part.cells)
    _grader(head, f"text-{part.name}", locked=True)
    if part.open:
        _grader(answer, part.name, grade=True, solution=True, points=part.points)
        return
    _grader(answer, part.name, solution=True)
    (cell,) = check
    hidden = HIDDEN.format(name=part.name, points=part.points)
    cell.source = f'check("{part.name}", {part.name})\n{hidden}'
    _grader(cell, f"check-{part.name}", grade=True, locked=True, points=part.points)


def _grader(
    cell: NotebookNode,
    grade_id: str,
    *,
    grade: bool = False,
    solution: bool = False,
    locked: bool = False,
    points: int | None = None,
) -> None:
    """nbgrader's metadata of a cell, as its schema 3 wants them."""
    kept = {key: value for key, value in cell.metadata.items() if key != "nbgrader"}
    flags = {"grade": grade, "solution": solution, "locked": locked, "task": False}
    found = {"schema_version": 3, "grade_id": grade_id, **flags} | ({"points": points} if points is not None else {})
    cell.metadata = nbformat.from_dict(kept | {"nbgrader": found})


def _without(source: str, begin: str, end: str, stub: str) -> str:
    """The source with a stub, indented alike, in place of each region between two markers."""
    lines: list[str] = []
    inside = False
    for line in source.split("\n"):
        if line.strip() == begin:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + each for each in stub.split("\n")] if stub else []
        elif line.strip() == end:
            inside = False
        elif not inside:
            lines.append(line)
    if inside:
        raise ValueError(f"{begin!r} without {end!r} in {source[:60]!r}")
    return "\n".join(lines)


def _points(number: int) -> str:
    return f"{number} point{'' if number == 1 else 's'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="homeworks to take; all if none is named")
    parser.add_argument("--bank", action="store_true", help="measure the checks on the known answers instead")
    arguments = parser.parse_args()
    for name in names(arguments.names):
        if arguments.bank:
            print(f"{name}\n{rates(measure(name))}")
            continue
        for path, text in generated(name).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
