"""What comes out of grading: tables for spreadsheets, Canvas and Gradescope, pages without scripts of others."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from lmcourse import cli
from lmcourse.homework import catalog, gradescope, reports
from tools.homework import HOMEWORK
from tools.homework_class import ALL, NAME, hand_in, notebook, right_answers


def record(student="ada", points=3.0, **more):
    auto = {
        "title": "Count <it>",
        "of": 4,
        "points": points,
        "feedback": ["<script>alert(1)</script>", "<img src=y>"],
        "score": None,
    }
    race = {"title": "Race", "of": 4, "points": 2.0, "feedback": [], "score": 2.3}
    essay = {"title": "Essay", "of": 2, "points": None, "open": True, "answer": "because <b>"}
    questions = {"count_pairs": auto, "choose_tokens": race, "essay": essay}
    base = {"student": student, "homework": NAME, "points": points + 2, "of": 10, "questions": questions}
    return base | {"log": [], "output": "", "seconds": 0.5, "wall": 1.6, "not_limited": []} | more


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_points_as_csv():
    (row,) = rows(reports.grades([record(log=["=HYPERLINK(1)"])]))
    assert (row["points"], row["count_pairs"], row["essay"], row["note"]) == ("5.0", "3.0", "", "'=HYPERLINK(1)")


def test_a_page_shows_what_a_student_wrote_and_runs_none_of_it():
    text = reports.page(record(log=["<img src=x>"], output="</pre><script>"))
    assert "<script" not in text
    assert "<img" not in text
    assert "5 of 10 points" in text
    assert "&lt;script&gt;alert(1)" in text
    assert "because &lt;b&gt;" in text


def test_points_given_by_a_person(tmp_path):
    file = tmp_path / "manual.csv"
    file.write_text("student,question,points\nada,essay,1.5\n")
    (found,) = reports.with_manual([record()], file)
    assert (found["points"], found["questions"]["essay"]["points"]) == (6.5, 1.5)
    file.write_text("\ufeffstudent;question;points\nada;essay;1,5\nbob;essay;\n", "utf-8")
    assert reports.with_manual([record()], file)[0]["points"] == 6.5
    file.write_text("student,points\nada,1\n")
    with pytest.raises(ValueError, match="must have the columns"):
        reports.with_manual([record()], file)
    for line in ("ada,essay,many", "ada,essay,3", "ada,count_pairs,1", "bob,essay,1", "ada,essay,-1"):
        file.write_text(f"student,question,points\n{line}\n")
        with pytest.raises(ValueError, match="no open question"):
            reports.with_manual([record()], file)


def test_a_gradebook_of_canvas_is_filled_in():
    book = (
        "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (77),Final\n"
        "    Points Possible,,,,,10,5\n"
        '"Lovelace, Ada",1,u1,ada,A,,4\n"Babbage, Charles",2,u2,charles,A,1,3\nTest student\n'
    )
    filled, strangers = reports.canvas(book, [record(), record("bob")], "Homework 1")
    possible, ada, charles, short = rows(filled)
    assert strangers == ["bob"]
    assert short["Student"] == "Test student"
    assert (ada["Homework 1 (77)"], ada["Final"], ada["Student"]) == ("5.0", "4", "Lovelace, Ada")
    assert (charles["Homework 1 (77)"], possible["Homework 1 (77)"]) == ("1", "10")
    with pytest.raises(ValueError, match="no column 'Homework 2'"):
        reports.canvas(book, [record()], "Homework 2")
    bonus = book.replace("Section", "Homework 1 (bonus) (76)")
    assert rows(reports.canvas(bonus, [record()], "Homework 1")[0])[1]["Homework 1 (77)"] == "5.0"


def test_the_results_are_those_that_gradescope_documents():
    found = json.loads(gradescope.results(record(), catalog.questions(NAME)))
    assert found["score"] == 5.0
    assert found["execution_time"] == 2
    assert found["leaderboard"] == [{"name": "Race (tokens per word)", "value": 2.3, "order": "asc"}]
    assert [(t["number"], t["score"], t["max_score"], t["status"]) for t in found["tests"]] == [
        ("1", 3.0, 4, "failed"),
        ("2", 2.0, 4, "failed"),
    ]
    known = {"score", "max_score", "status", "name", "number", "output", "output_format", "visibility"}
    assert all(set(test) <= known for test in found["tests"])
    texts = {"output", "output_format", "visibility", "stdout_visibility"}
    formats = {"score", "execution_time", "tests", "leaderboard"} | texts
    assert set(found) == formats


def test_the_autograder_runs_as_gradescope_runs_it(tmp_path):
    (tmp_path / "salt").write_text("secret")
    zipped = tmp_path / "autograder.zip"
    arguments = ["grade", "--homework", NAME, "--masters", str(HOMEWORK), "--salt-file", str(tmp_path / "salt")]
    assert cli.main([*arguments, "--gradescope", str(zipped)]) == 0
    place = tmp_path / "autograder"
    with zipfile.ZipFile(zipped) as file:
        assert {"setup.sh", "run_autograder", "salt", f"homework/{NAME}/hidden.py"} <= set(file.namelist())
        file.extractall(place / "source")
    hand_in(place, "submission", notebook(right_answers()), "any name.ipynb")
    environment = os.environ | {"AUTOGRADER": str(place), "COURSE_PYTHON": sys.executable}
    script = str(place / "source" / "run_autograder")
    done = subprocess.run(["bash", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((place / "results" / "results.json").read_text())
    assert found["score"] == ALL
    assert subprocess.run(["bash", "-n", str(place / "source" / "setup.sh")]).returncode == 0
