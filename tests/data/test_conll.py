"""Files in the format of CoNLL-2003, both ways of writing entities, and labels at the first token of a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from lmcourse.data.conll import read_conll, tagged, to_bio
from lmcourse.finetuning.entities import entities
from lmcourse.models.pretrained import load_tokenizer

FILE = """-DOCSTART- -X- -X- O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC

Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER
London NNP B-NP B-PER
"""


def written(folder, text):
    path = folder / "eng.testa"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file(tmp_path):
    first, second = read_conll(written(tmp_path, FILE))
    assert first.words == ("EU", "rejects", "German")
    assert first.parts_of_speech == ("NNP", "VBZ", "JJ")
    assert first.chunks == ("I-NP", "I-VP", "I-NP")
    assert first.entities == ("B-ORG", "O", "B-MISC")
    assert second.entities == ("B-PER", "I-PER", "B-PER")
    assert read_conll(written(tmp_path, "\n\n")) == []


@given(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), max_size=10))
def test_both_ways_of_writing_are_the_same_entities(tags):
    converted = to_bio(tags)
    assert entities(converted, strict=True) == entities(tags)
    assert to_bio(converted) == converted
    if tags:
        assert [tuple(one) for one in entities(tags)] == get_entities(tags)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EU NNP I-NP\n", r"line 1: 4 columns are needed, not 'EU NNP I-NP'"),
        ("EU NNP I-NP O\n\na b c d e\n", "line 3: 4 columns"),
        ("EU NNP I-NP ORG\n", "line 1: an entity tag is O, B-TYPE or I-TYPE, not 'ORG'"),
        ("EU NNP I-NP I-\n", "not 'I-'"),
        ("EU NNP I-NP E-ORG\n", "not 'E-ORG'"),
    ],
)
def test_bad_files(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=message) as error:
        read_conll(path)
    assert str(path) in str(error.value)


def test_labels_at_first_tokens():
    tokenizer = load_tokenizer("minilm")
    ids, labels = tagged(["EU", "rejects", "Blackburnian"], ["B-ORG", "O", "B-PER"], ["O", "B-ORG", "B-PER"], tokenizer)
    last = tokenizer.encode(" Blackburnian", add_special_tokens=False)
    assert len(last) > 1
    assert ids[-len(last) :] == last
    assert labels == [1, 0, 2, *[-100] * (len(last) - 1)]


def test_bad_labels():
    tokenizer = load_tokenizer("minilm")
    for words, tags, message in (
        (["EU"], [], "1 words cannot have 0"),
        (["EU"], ["B-LOC"], "'B-LOC'"),
        (["\u200b"], ["O"], "of 0 tokens"),
    ):
        with pytest.raises(ValueError, match=message):
            tagged(words, tags, ["O"], tokenizer)
