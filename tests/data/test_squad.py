"""Files in the format of SQuAD: what is read, and what is said about what cannot be."""

import json

import pytest

from lmcourse.data.questions import Answer
from lmcourse.data.squad import read_squad

PASSAGE = "Die Hard came out in 1988."


def content(**changes):
    answers = [{"text": "1988", "answer_start": 21}, {"text": "in 1988", "answer_start": 18}]
    entry = {"id": "q1", "question": "When?", "answers": answers} | changes.pop("entry", {})
    paragraph = {"context": PASSAGE, "qas": [entry]} | changes.pop("paragraph", {})
    article = {"title": "Die_Hard", "paragraphs": [paragraph, {"context": "No question.", "qas": []}]} | changes
    return {"version": "1.1", "data": [article]}


def written(folder, value):
    path = folder / "dev.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_a_file(tmp_path):
    (question,) = read_squad(written(tmp_path, content()))
    assert (question.id, question.question, question.passage) == ("q1", "When?", PASSAGE)
    assert question.answers == (Answer("1988", 21), Answer("in 1988", 18))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "no JSON.*line 1"),
        ([], "'data' must be a list"),
        ({"data": {}}, "'data' must be a list, not '{}'"),
        (content(paragraphs=3), r"data\[0\]: 'paragraphs' must be a list, not '3'"),
        (content(paragraph={"context": None}), r"paragraphs\[0\]: 'context' must be a str, not 'None'"),
        (content(entry={"id": 7}), r"qas\[0\]: 'id' must be a str, not '7'"),
        (content(entry={"answers": []}), r"qas\[0\]: question 'q1' needs a passage and an answer"),
        (content(entry={"answers": ["1988"]}), r"answers\[0\]: 'text' must be a str"),
        (content(entry={"answers": [{"text": "1988", "answer_start": True}]}), "'answer_start' must be a int"),
        (content(entry={"answers": [{"text": "1988", "answer_start": 22}]}), r"at character 22 stands '988\.'"),
        (content(entry={"answers": [{"text": "1988", "answer_start": 99}]}), "at character 99 stands ''"),
    ],
)
def test_bad_files(tmp_path, value, message):
    path = written(tmp_path, value)
    with pytest.raises(ValueError, match=message) as error:
        read_squad(path)
    assert str(path) in str(error.value)


def test_no_text(tmp_path):
    (tmp_path / "dev.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(ValueError, match="is no JSON"):
        read_squad(tmp_path / "dev.json")
    with pytest.raises(FileNotFoundError):
        read_squad(tmp_path / "none.json")
