"""What the checks of hw6 compare with, held equal to FAISS, and the problems of the competition."""

import random

import faiss
import pytest

from lmcourse.data import reviews
from lmcourse.homework.checks.hw6_retrieval import cells, prompts, search, words
from lmcourse.homework.questions import Wrong


def test_a_search_in_cells_is_that_of_faiss():
    drawn = random.Random(3)
    for _ in range(100):
        query, vectors, centres, k, probes = cells.SEARCH_CELLS.draw(drawn)
        quantizer = faiss.IndexFlatIP(centres.shape[1])
        quantizer.add(centres.numpy())
        index = faiss.IndexIVFFlat(quantizer, centres.shape[1], len(centres), faiss.METRIC_INNER_PRODUCT)
        index.is_trained = True
        index.add(vectors.numpy())
        index.nprobe = probes
        counted = faiss.cvar.indexIVF_stats
        counted.reset()
        _, found = index.search(query.numpy()[None], k)
        keys = [int(key) for key in found[0] if key >= 0]
        assert cells.SEARCH_CELLS.right(query, vectors, centres, k, probes) == (keys, counted.ndis + len(centres))


def test_the_worked_example_of_the_chapter():
    example = words.BM25_SCORES.examples[0]
    assert [round(score, 2) for score in example.expected] == [0.66, 0.26, 0.08]
    assert words.BM25_SCORES.right(*example.arguments) == pytest.approx(example.expected)


def test_prompts_fit_and_say_what_was_left_out():
    drawn = random.Random(0)
    seen = set()
    for _ in range(200):
        question, found, least, longest = prompts.GROUNDED_PROMPT.draw(drawn)
        good = [text for text, score in found if score >= least]
        try:
            prompt, read, cut = prompts.GROUNDED_PROMPT.right(question, found, least, longest)
        except ValueError:
            seen.add("raises")
            assert len(f"[1] {good[0]} {question}".split()) > longest
            continue
        seen.add("cut" if cut else "none" if prompt is None else "whole")
        assert read + cut == len(good)
        assert prompt is None or (len(prompt.split()) <= longest and prompt.startswith(f"[1] {good[0]}"))
    assert seen == {"raises", "cut", "none", "whole"}


def test_a_question_is_from_the_review_of_its_passage():
    passages, questions = search.problem(random.Random(0), "validation")
    texts = [" ".join(text.split()) for text in reviews.texts("validation")]
    for passage, question in list(zip(passages, questions, strict=True))[:20]:
        assert [text for text in texts if passage in text and question in text]
        assert question not in passage
    assert len(set(passages)) == search.REVIEWS


def test_rankings_are_checked():
    for refused, key in (
        ([[0]], "not-rankings"),
        ([0, 1], "not-rankings"),
        ([[0], [2]], "not-keys"),
        ([[0], [True]], "not-keys"),
        ([[0], [1, 1]], "twice"),
        ([[0], [0] * (search.K + 1)], "too-many"),
    ):
        with pytest.raises(Wrong) as caught:
            search._checked(refused, 2)
        assert caught.value.mistake == key
    assert search._checked([[1, 0], []], 2) == [[1, 0], []]
