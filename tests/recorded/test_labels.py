"""Reviews as `<start> text <extract> <class>`, and how often a model names the class."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lmcourse.data import reviews
from lmcourse.data.formats import Formats
from lmcourse.objectives import Supervised
from lmcourse.recorded import special, tokenizer
from lmcourse.recorded.labels import CLASSES, accuracy, labelled_reviews, ordered_reviews, shuffled


class Says(nn.Module):
    """Answers `token` where a row's last seen token is the extract token, and the other class everywhere else."""

    def __init__(self, token: int) -> None:
        super().__init__()
        self.token = token

    def forward(self, ids: Tensor, *, attend: Tensor) -> Tensor:
        logits = torch.zeros(*ids.shape, 60)
        other = sum(CLASSES) - self.token
        logits[..., other] = 1
        last = attend.sum(dim=1) - 1
        extract = ids[torch.arange(len(ids)), last] == special.EXTRACT
        logits[torch.arange(len(ids))[extract], last[extract], self.token] = 2
        logits[..., 50] = 9  # no class
        return logits


def test_rows() -> None:
    rows = labelled_reviews("validation", 5, start=3, length=12)
    expected = [review for review in reviews.load("validation") if review.source == "rotten_tomatoes"][3:8]
    assert rows.attend is not None
    for ids, attend, review in zip(rows.ids, rows.attend, expected, strict=True):
        row = ids[attend].tolist()
        text = tokenizer().encode(review.text, add_special_tokens=False)[:12]
        label = (special.NEGATIVE, special.POSITIVE)[review.label]
        assert row == [special.START, *text, special.EXTRACT, label]
        assert ids[~attend].tolist() == [special.PAD] * int((~attend).sum())


def test_the_objective_reads_at_the_extract_token() -> None:
    rows = labelled_reviews("validation", 4)
    batch = Supervised(CLASSES, read="last").prepare(rows.ids, attend=rows.attend)
    where = batch["labels"] != -100
    assert batch["ids"][where].tolist() == [special.EXTRACT] * 4
    assert set(batch["labels"][where].tolist()) <= set(CLASSES)


def test_accuracy_is_the_share_of_right_answers() -> None:
    rows = labelled_reviews("validation", 70)
    assert rows.attend is not None
    last = rows.ids[torch.arange(70), rows.attend.sum(dim=1) - 1]
    for token in CLASSES:
        assert accuracy(Says(token), rows, batch_size=32) == pytest.approx(float((last == token).float().mean()))


def test_the_answer_is_hidden_from_the_model() -> None:
    rows = labelled_reviews("validation", 8)
    seen: list[Any] = []

    class Looks(Says):
        def forward(self, ids: Tensor, *, attend: Tensor) -> Tensor:
            seen.extend(ids[attend].tolist())
            return super().forward(ids, attend=attend)

    accuracy(Looks(CLASSES[0]), rows)
    assert seen.count(special.EXTRACT) == 8
    assert not set(seen) & set(CLASSES)


def test_too_many() -> None:
    with pytest.raises(ValueError, match=r"from 400 on, validation has 31 reviews of rotten_tomatoes, not 32"):
        labelled_reviews("validation", 32, start=400)


def test_formats() -> None:
    formats = Formats(start=1, delimiter=2, extract=3)
    a, b = (10, 11), (20,)
    assert formats.classification(a) == [1, 10, 11, 3]
    assert formats.entailment(a, b) == [1, 10, 11, 2, 20, 3]
    assert formats.similarity(a, b) == ([1, 10, 11, 2, 20, 3], [1, 20, 2, 10, 11, 3])
    assert formats.multiple_choice(a, [b, a]) == ([1, 10, 11, 2, 20, 3], [1, 10, 11, 2, 10, 11, 3])
    assert a == (10, 11)


@pytest.mark.parametrize("tokens", [(1, 1, 3), (1, 2, 1), (0, 1, -1)])
def test_formats_need_three_tokens(tokens: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"three tokens, not \("):
        Formats(*tokens)


def test_words_change_places_in_every_second_review() -> None:
    asked = ordered_reviews("validation", 8, start=2, length=200)
    told = labelled_reviews("validation", 8, start=2, length=200)
    assert asked.attend is not None
    assert told.attend is not None
    for number in range(8):
        words = tokenizer().decode(asked.ids[number][asked.attend[number]][1:-2].tolist()).split()
        original = tokenizer().decode(told.ids[number][told.attend[number]][1:-2].tolist()).split()
        assert asked.ids[number][asked.attend[number]][-1] == CLASSES[number % 2]
        assert (words == original) == bool(number % 2)
        assert sorted(words) == sorted(original)
        assert (words[0], words[-1]) == (original[0], original[-1])
    torch.testing.assert_close(ordered_reviews("validation", 8, start=2, length=200).ids, asked.ids)


def test_short_texts_stay() -> None:
    generator = torch.Generator().manual_seed(0)
    assert [shuffled(text, generator) for text in ("", "a", "a b", "a b c")] == ["", "a", "a b", "a b c"]
