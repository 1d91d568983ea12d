"""Collections that change, and answers from passages: what is read, cut, cited, refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from lmcourse.prompting.chain_of_thought import ZeroShotChainOfThought
from lmcourse.prompting.few_shot import Demonstration, FewShot
from lmcourse.prompting.language_model import TextModel
from lmcourse.prompting.self_consistency import SelfConsistency
from lmcourse.prompting.templates import Template
from lmcourse.recorded import load, tokenizer
from lmcourse.retrieval.base import Passage
from lmcourse.retrieval.bm25 import BM25, words
from lmcourse.retrieval.collection import Collection, Found
from lmcourse.retrieval.dense import DenseConfig, DenseIndex
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
    longest = len(rag(collection()).ask(reader, question).answer.trace[0].prompt) - 1  # one of its two is too much
    found = rag(collection(), k=3, fits=lambda text: len(text) <= longest).ask(reader, question)
    assert [p.text for p in found.read] == [TOWNS[0].text]
    assert found.cut == 2
    with pytest.raises(ValueError, match="not even the first passage of 28 characters fits"):
        rag(collection(), fits=lambda text: False).ask(reader, question)


class Bounded:
    """A reader whose context has so many characters."""

    def __init__(self, longest):
        self.longest, self.read = longest, []

    def fits(self, prompt):
        return len(prompt) <= self.longest

    def __call__(self, prompt):
        self.read.append(prompt)
        return reader(prompt)


@pytest.mark.parametrize("inner", [FewShot(demonstrations=(Demonstration("a question " * 9, "yes"),)), FewShot()])
def test_the_whole_prompt_is_held_against_the_context(inner):
    def whole(count):
        return inner.render(rag(collection()).render(question, tuple(found[:count])))

    question, found = "Who was born?", [Passage(f"P {i} was born in Walley.") for i in range(40)]
    asked = RetrievalAugmented(lambda q: [Found(passage, 1.0) for passage in found], inner)
    for count, spare in ((40, 0), (7, 0), (7, len(whole(8)) - len(whole(7)) - 1)):
        lm = Bounded(len(whole(count)) + spare)
        grounded = asked.ask(lm, question)
        assert (grounded.read, grounded.cut) == (tuple(found[:count]), 40 - count)
        assert lm.read == [whole(count)]
        assert asked.answer(lm, question) == grounded.answer
    with pytest.raises(ValueError, match="not even the first passage of 23 characters fits with 'Who was born"):
        asked.ask(Bounded(len(whole(1)) - 1), question)
    assert asked.ask(reader, question).cut == 0  # a plain function tells no context


def test_every_prompt_on_the_way_must_fit():
    made = RetrievalAugmented(lambda q: collection().search(q, 3), SelfConsistency(ZeroShotChainOfThought(), 2))
    free = made.ask(lambda prompt: " Al " * 20, "Where was Al Alack born?")
    first, second = (len(call.prompt) for call in free.answer.trace[:2])
    assert first < second

    def fitting(prompt):
        return len(prompt) < second

    bounded = replace(made, fits=fitting).ask(lambda prompt: " Al " * 20, "Where was Al Alack born?")
    assert (len(free.read), len(bounded.read), bounded.cut) == (3, 2, 1)
    assert all(fitting(call.prompt) for call in bounded.answer.trace)


def test_a_text_model_tells_its_context():
    model = load("decoder").model
    lm = TextModel(model, tokenizer(), max_new_tokens=4)
    long = [Passage("a film about the sea " * 20, str(i)) for i in range(40)]
    grounded = RetrievalAugmented(lambda q: [Found(p, 1.0) for p in long], FewShot()).ask(lm, "What is it about?")
    tokens = [len(tokenizer().encode(call.prompt)) for call in grounded.answer.trace]
    assert 0 < len(grounded.read) < 40
    assert len(grounded.read) + grounded.cut == 40
    assert tokens[0] + 3 <= model.config.max_length < tokens[0] + 3 + len(tokenizer().encode(f"\n[9] {long[0].text}"))


def test_answers_of_one_character_are_cited():
    ships = ["There are 3 ships", "There are 7 ships"]
    assert cited("7", ships) == (2,)
    assert cited("7", ships, split=words) == ()


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
    with pytest.raises(ValueError, match=r"over just the 0 passages are needed, with their keys, not of \[1\]"):
        Collection(used)
    with pytest.raises(ValueError, match="collection is empty"):
        Collection(BM25()).search("x", 1)
    with pytest.raises(ValueError, match="needs the fields passages and question"):
        RetrievalAugmented(lambda q: [], FewShot(), template=Template("{question}"))
    with pytest.raises(ValueError, match=r"needed, with their keys, not of \[\]"):
        Collection()


def embed(texts):
    """A vector for each text that depends on its letters alone."""
    rows = np.stack([np.random.default_rng(sum(map(ord, text))).normal(size=8) for text in texts])
    return torch.from_numpy(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def vectors(**options):
    return DenseIndex(DenseConfig("letters", 8, **options), embed)


@pytest.mark.parametrize("kind", ["exact", "ivf", "hnsw"])
def test_what_one_index_refuses_no_index_adds(kind):
    lexical, dense = BM25(), vectors(kind="ivf", cells=4, probes=4)
    made = Collection(lexical, vectors(kind=kind, cells=1, probes=1), dense)
    with pytest.raises(ValueError, match="3 vectors are too few to find 4 cells"):
        made.add(TOWNS)
    assert [len(index) for index in (made, *made.indexes)] == [0, 0, 0, 0]
    assert made.add([*TOWNS, Passage("Cy")]) == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="passages are texts, not 7"):
        made.add([Passage("Dee"), Passage(7)])
    assert made.add([Passage("Ed")]) == [4]
    assert [index.keys() for index in made.indexes] == [[0, 1, 2, 3, 4]] * 3
    assert made.search("Ed", 1)[0].passage.text == "Ed"


def test_an_addition_that_breaks_off_is_taken_back():
    lexical, dense = BM25(), vectors()
    made = Collection(lexical, dense)
    made.add(TOWNS)
    dense.add(["behind the collection's back"])
    with pytest.raises(ValueError, match=r"different keys, \[\[3\], \[4\]\]"):
        made.add([Passage("Al came late")])
    assert [found.passage for found in made.search("Al", 2)] == [TOWNS[2], TOWNS[0]]
    assert (lexical.keys(), dense.keys()) == ([0, 1, 2], [0, 1, 2, 3])


def test_a_collection_comes_back_from_its_files(tmp_path):
    def over(lexical, dense, make):
        return make(lexical, dense, search=Hybrid((lexical, dense)))

    made = over(BM25(), vectors(), Collection)
    made.add([*TOWNS, Passage("Où ?\n\ud800", "", 7)])
    made.delete("bo")
    made.save(tmp_path)

    def load_indexes():
        return BM25.load(tmp_path / "index-0"), DenseIndex.load(tmp_path / "index-1", embed, embedder="letters")

    back = over(*load_indexes(), lambda *indexes, **rest: Collection.load(tmp_path, *indexes, **rest))
    assert back.search("Al harp", 3) == made.search("Al harp", 3)
    assert [back.passage(key) for key in (0, 2, 3)] == [made.passage(key) for key in (0, 2, 3)]
    assert back.add([Passage("new")]) == made.add([Passage("new")]) == [4]
    assert back.delete("al") == 2
    lexical, dense = load_indexes()
    dense.delete([3])
    with pytest.raises(ValueError, match=r"over just the 3 passages are needed, with their keys, not of \[3, 2\]"):
        Collection.load(tmp_path, lexical, dense)
    path = tmp_path / "passages.json"
    rows = json.loads(path.read_text())["passages"]
    for damaged in (
        [*rows, rows[0]],
        [[0, "text"]],
        [[0, "text", None, 0]],
        [["0", "text", "", 0]],
        [[-1, "", "", 0]],
        5,
    ):
        path.write_text(json.dumps({"passages": damaged}))
        with pytest.raises(ValueError, match=r"passages\.json is damaged"):
            Collection.load(tmp_path, *load_indexes())
    for other in (rows[:2], [*rows[:2], [1, *rows[2][1:]]]):  # fewer, and as many under other keys
        path.write_text(json.dumps({"passages": other}))
        with pytest.raises(ValueError, match=f"over just the {len(other)} passages"):
            Collection.load(tmp_path, *load_indexes())
    path.unlink()
    with pytest.raises(ValueError, match="is missing"):
        Collection.load(tmp_path, *load_indexes())
