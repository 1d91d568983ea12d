"""EM and F1 of answers: against a restatement of SQuAD's script, and values known by hand."""

import collections
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.data.facts import normalized
from lmcourse.finetuning.answers import answer_f1, answer_scores, exact_match, normalized_answer


def script_normalize(s):
    """The four steps of evaluate-v1.1.py in its order."""
    s = s.lower()
    s = "".join(ch for ch in s if ch not in set(string.punctuation))
    s = re.sub(r"\b(a|an|the)\b", " ", s)
    return " ".join(s.split())


def script_f1(prediction, truth):
    prediction, truth = script_normalize(prediction).split(), script_normalize(truth).split()
    common = collections.Counter(prediction) & collections.Counter(truth)
    same = sum(common.values())
    if same == 0:
        return 0
    precision, recall = same / len(prediction), same / len(truth)
    return 2 * precision * recall / (precision + recall)


def script_scores(said, references):
    exact = f1 = 0
    for ours, theirs in zip(said, references, strict=True):
        exact += max(script_normalize(ours) == script_normalize(one) for one in theirs)
        f1 += max(script_f1(ours, one) for one in theirs)
    return exact / len(said), f1 / len(said)


words = st.sampled_from(
    ["the", "The", "a", "an", "cat", "Cat.", "dog's", "an-other", "u.s.", "theme", "—", "  ", "3,000", "\t"]
)
answers = st.lists(words, max_size=6).map(" ".join) | st.text(max_size=12)


@given(st.lists(st.tuples(answers, st.lists(answers, min_size=1, max_size=3)), min_size=1, max_size=5))
def test_the_script(questions):
    said, references = [list(side) for side in zip(*questions, strict=True)]
    assert answer_scores(said, references) == pytest.approx(script_scores(said, references))


@given(answers)
def test_one_way_to_normalize_answers(answer):
    assert normalized_answer(answer) == normalized(answer)


@pytest.mark.parametrize(
    ("said", "answer", "exact", "f1"),
    [
        ("The Norman dynasty!", "norman dynasty", 1, 1),
        ("in the 10th century", "10th and 11th centuries", 0, 2 / 7),
        ("Denver Broncos won", "Denver Broncos", 0, 0.8),
        ("cat cat", "cat", 0, 2 / 3),
        ("", "the", 1, 0),
        ("dog", "cat", 0, 0),
    ],
)
def test_by_hand(said, answer, exact, f1):
    assert exact_match(said, answer) == exact
    assert answer_f1(said, answer) == pytest.approx(f1)


def test_the_best_reference_counts():
    assert answer_scores(["Broncos", "x"], [["Denver Broncos", "Broncos"], ["y"]]) == (0.5, 0.5)
    assert answer_scores(["a cat"], [["dog", "cat sat"]]).f1 == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("said", "references", "message"),
    [([], [], "0 answers and 0"), (["x"], [], "1 answers and 0"), (["x", "y"], [["x"], []], r"questions \[1\]")],
)
def test_bad_input(said, references, message):
    with pytest.raises(ValueError, match=message):
        answer_scores(said, references)
