"""From a master: what is generated is what is in git, students get no answers, metadata are nbgrader's."""

import json
import re
import runpy

import nbformat
import pytest

from lmcourse.homework import catalog, notebook
from lmcourse.homework.master import BEGIN, END, read
from tools import homework
from tools.project import BOOK, repository_url

NAMES = homework.names()
GRADE_ID = re.compile(r"[a-zA-Z0-9_\-]{1,64}")
# nbgrader 0.9.6, nbgrader/nbgraderformat/v3.json: what each kind of cell must have
REQUIRED = {"schema_version", "grade_id", "grade", "solution", "locked", "task"}


def violations(cells):
    """What nbgrader's schema 3 and its validator would refuse."""
    found, seen = [], set()
    for cell in cells:
        meta = cell["metadata"].get("nbgrader", {})
        grade_id = meta.get("grade_id", "")
        found += [f"{grade_id}: no {key}" for key in REQUIRED - set(meta)]
        found += [
            f"{grade_id}: {key}" for key in ("grade", "solution", "locked", "task") if type(meta.get(key)) is not bool
        ]
        found += [f"{grade_id}: schema_version"] if meta.get("schema_version") != 3 else []
        found += [f"{grade_id}: grade_id"] if not GRADE_ID.fullmatch(grade_id) or grade_id in seen else []
        found += [f"{grade_id}: points"] if bool(meta.get("grade")) != (meta.get("points") is not None) else []
        found += [f"{grade_id}: points are {meta['points']}"] if (meta.get("points") or 0) < 0 else []
        found += (
            [f"{grade_id}: graded and open to change"]
            if meta.get("grade") and meta.get("locked") == meta.get("solution")
            else []
        )
        found += (
            [f"{grade_id}: text without an answer is graded"]
            if cell["cell_type"] == "markdown" and meta.get("grade") and not meta.get("solution")
            else []
        )
        seen.add(grade_id)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_what_is_generated_is_what_is_kept(name):
    stale = [
        p.name
        for p, text in homework.generated(name).items()
        if homework.BUILD not in p.parents and p.read_text("utf-8") != text
    ]
    assert stale == [], "run `make homework`"


@pytest.mark.parametrize("name", NAMES)
def test_metadata_are_those_of_nbgrader(name):
    for path in (homework.HOMEWORK / name / "master.ipynb", homework.HOMEWORK / name / f"{name}.ipynb"):
        assert violations(json.loads(path.read_text("utf-8"))["cells"]) == []


@pytest.mark.parametrize(
    "change", [{"schema_version": 2}, {"grade_id": ""}, {"points": None}, {"locked": 1}, {"solution": True}]
)
def test_the_schema_sees(change):
    good = {
        "schema_version": 3,
        "grade_id": "a",
        "grade": True,
        "solution": False,
        "locked": True,
        "task": False,
        "points": 2,
    }
    assert violations([{"cell_type": "code", "metadata": {"nbgrader": good}}]) == []
    assert violations([{"cell_type": "code", "metadata": {"nbgrader": good | change}}]) != []


@pytest.mark.parametrize("name", NAMES)
def test_students_get_no_answers_and_no_hidden_tests(name):
    master = read(homework.HOMEWORK / name / "master.ipynb")
    text = (homework.HOMEWORK / name / f"{name}.ipynb").read_text("utf-8")
    sources = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    for word in (BEGIN, END, "HIDDEN", "hidden", "Rubric", "../../"):
        assert word not in text
    for part in master.parts:
        answer = part.solution.partition(BEGIN)[2].partition(END)[0]
        lines = [line.strip() for line in answer.splitlines() if len(line.strip()) > 25]
        assert lines
        assert [line for line in lines if line in sources] == []
    stubs = sum(not part.open for part in master.parts)
    assert sources.count("raise NotImplementedError()") == stubs
    assert sources.count("YOUR ANSWER HERE") == len(master.parts) - stubs


@pytest.mark.parametrize("name", NAMES)
def test_a_homework_has_its_shape(name):
    master = read(homework.HOMEWORK / name / "master.ipynb")
    questions = catalog.questions(name)
    assert 6 <= len(master.parts) <= 9
    assert sum(part.open for part in master.parts) == 1
    assert [part.name for part in master.parts if not part.open] == list(questions)
    assert sum(hasattr(question, "baseline") for question in questions.values()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_the_answers_of_the_master_get_all_points(name, monkeypatch):
    """The check cells too, hidden tests among them, as an instructor's nbgrader would run them."""
    monkeypatch.setenv("LMCOURSE_HIDDEN", str(homework.HOMEWORK / name / "hidden.py"))
    monkeypatch.setenv("LMCOURSE_SALT", "a salt")
    space = {}
    cells = json.loads((homework.HOMEWORK / name / "master.ipynb").read_text("utf-8"))["cells"]
    points = 0.0
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "google.colab" in source:
            continue
        exec(source, space)
        if source.startswith("check("):
            line = next(line for line in source.splitlines() if line.startswith("hidden_points"))
            found = eval(line, space)
            assert found == cell["metadata"]["nbgrader"]["points"], line
            points += found
    master = read(homework.HOMEWORK / name / "master.ipynb")
    assert points == sum(part.points for part in master.parts if not part.open)


def anchors(page):
    heads = re.findall(r"^#+ (.+)$", (BOOK / f"{page}.md").read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_sections(name):
    linked = [question.section for question in catalog.questions(name).values()]
    text = (homework.HOMEWORK / name / "master.ipynb").read_text("utf-8")
    linked += [f"{page}#{anchor}" for page, anchor in re.findall(r"\.\./\.\./book/(\w+)\.md#([\w-]+)", text)]
    assert linked
    assert [link for link in linked if link.partition("#")[2] not in anchors(link.partition("#")[0])] == []


def test_the_address_of_a_section_is_that_of_the_repository():
    assert catalog.link("tokenization#wordpiece") == f"{repository_url()}/blob/main/book/tokenization.md#wordpiece"


def test_a_check_in_a_notebook_is_kind():
    good = notebook.check(
        "count_pairs", runpy.run_path(str(homework.HOMEWORK / "hw1_tokenization/bank/count_pairs.py"))["with_indices"]
    )
    assert good.passed
    assert repr(good) == "count_pairs: all public checks pass."
    bad = notebook.check("count_pairs", lambda words: {"<b>": 1})
    assert not bad.passed
    assert "<b>" not in bad._repr_html_()
    assert catalog.link("tokenization#byte-pair-encoding-the-learner") in bad._repr_html_()
    assert "raise NotImplementedError" not in repr(notebook.check("count_pairs", None))
    with pytest.raises(ValueError, match="no question 'count_pears'"):
        notebook.check("count_pears", None)


def test_a_master_that_is_not_one(tmp_path):
    def refused(*cells):
        nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), tmp_path / "master.ipynb")
        with pytest.raises(ValueError, match=r"master\.ipynb") as caught:
            read(tmp_path / "master.ipynb")
        return str(caught.value)

    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    title, head = text("# T"), text("## Q\n\n*2 points, 5 minutes.*\n\nDo it.")
    answer = code(f"def q():\n    {BEGIN}\n    pass\n    {END}")
    assert "no title" in refused(head)
    assert "N points" in refused(title, text("## Q\n\nDo it."), answer)
    assert "0 cells with a solution" in refused(title, head)
    assert "one cell check" in refused(title, head, answer)
    assert "rubric" in refused(title, head, text(f"{BEGIN}\nRubric:\n- 1 point: all\n{END}"))
