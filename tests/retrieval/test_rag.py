"""Collections that change, and answers from passages: what is read, cut, cited, refused."""

import pytest

from lmcourse.prompting.few_shot import FewShot
from lmcourse.prompting.self_consistency import SelfConsistency
from lmcourse.prompting.templates import Template
from lmcourse.retrieval.base import Passage
from lmcourse.retrieval.bm25 import BM25
from lmcourse.retrieval.collection import Collection, Found
from lmcourse.retrieval.fusion import Hybrid
from lmcourse.retrieval.rag import NO_ANSWER, RetrievalAugmented, cited

TOWNS = [
    Passage("Al Alack was born in Walley.", "al"),
    Passage("Bo Bunt was born in Carford.", "bo"),
    Passage("Al Alack plays the harp.", "al", 40),
]


def collection():
    made = Collection(BM25())
    assert made.add(TOWNS) == [0, 1, 2]
    return made


def reader(prompt):
    """Answers with the last word of the first passage."""
    return " " + prompt.split("[1] ")[1].split(".")[0].split()[-1] + "\n"


def rag(made, k=2, **options):
    return RetrievalAugmented(lambda question: made.search(question, k), FewShot(), **options)


def test_an_answer_stands_on_passages():
    found = rag(collection()).ask(reader, "Where was Bo Bunt born?")
    assert found.answer.text == "Carford"
    assert found.read[0] == TOWNS[1]
    assert found.cited == (1,)
    assert (found.support, found.cut, found.abstained) == (1.0, 0, False)
    assert found.answer.trace[0].prompt == (
        "Input: [1] Bo Bunt was born in Carford.\n[2] Al Alack was born in Walley.\n\nWhere was Bo Bunt born?\nOutput:"
    )


def test_new_facts_count_at_once_and_old_ones_go():
    made = collection()
    made.add([Passage("Cy Cade was born in Newton.", "cy")])
    assert rag(made).answer(reader, "Where was Cy Cade born?").text == "Newton"
    assert made.delete("al") == 2
    assert len(made) == 2
    assert {found.passage.document for found in made.search("born", 2)} == {"bo", "cy"}
    with pytest.raises(ValueError, match="no document 'al'"):
        made.delete("al")
    with pytest.raises(ValueError, match="no passage with the key 0"):
        made.passage(0)
    assert made.passage(3).document == "cy"


def test_nothing_good_enough_is_no_answer():
    asked = []
    found = rag(collection(), least=100.0).ask(asked.append, "Where was Bo Bunt born?")
    assert found.abstained
    assert found.answer.text == NO_ANSWER
    assert asked == []
    assert rag(collection()).ask(reader, "Xylophones?").abstained
    scores = [each.score for each in collection().search("Where was Bo Bunt born?", 2)]
    assert len(rag(collection(), least=scores[0]).ask(reader, "Where was Bo Bunt born?").read) == 1


def test_what_does_not_fit_is_cut_by_rank():
    question = "Where was Al Alack born?"
    longest = len(rag(collection()).render(question, tuple(TOWNS[:1])))
    found = rag(collection(), k=3, fits=lambda text: len(text) <= longest).ask(reader, question)
    assert [p.text for p in found.read] == [TOWNS[0].text]
    assert found.cut == 2
    with pytest.raises(ValueError, match="not even the first passage of 28 characters fits"):
        rag(collection(), fits=lambda text: False).ask(reader, question)


def test_answers_that_no_passage_holds_are_not_cited():
    found = rag(collection()).ask(lambda prompt: "Paris in Walley", "Where was Al Alack born?")
    assert found.cited == ()
    assert found.support == pytest.approx(2 / 3)
    assert cited("born", [p.text for p in TOWNS]) == (1, 2)
    assert cited("", ["a b"]) == ()


def test_methods_are_wrapped_both_ways():
    inner = RetrievalAugmented(lambda q: collection().search(q, 1), SelfConsistency(FewShot(), 3))
    assert len(inner.answer(reader, "Where was Bo Bunt born?").trace) == 3
    assert len(SelfConsistency(rag(collection()), 3).answer(reader, "Where was Bo Bunt born?").trace) == 3


def test_several_indexes_over_one_collection():
    by_word, by_letter = BM25(), BM25(split=lambda text: list(text.replace(" ", "")))
    made = Collection(by_word, by_letter, search=Hybrid((by_word, by_letter)))
    made.add(TOWNS)
    assert isinstance(made.search("harp", 1)[0], Found)
    assert made.search("harp", 1)[0].passage == TOWNS[2]
    fused = Hybrid((by_word, by_letter)).search("Bunt harp", 3)
    assert [each.score for each in made.search("Bunt harp", 3)] == [hit.score for hit in fused]
    made.delete("bo")
    assert len(by_letter) == 2


def test_bad_collections_and_templates():
    used = BM25()
    used.add(["x"])
    with pytest.raises(ValueError, match="begins with empty indexes"):
        Collection(used)
    with pytest.raises(ValueError, match="collection is empty"):
        Collection(BM25()).search("x", 1)
    with pytest.raises(ValueError, match="needs the fields passages and question"):
        RetrievalAugmented(lambda q: [], FewShot(), template=Template("{question}"))
