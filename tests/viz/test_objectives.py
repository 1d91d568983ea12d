"""What each objective shows a model: views equal the prepared batches, the picture has them all and nothing touches."""

from itertools import pairwise

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch

from lmcourse.objectives import (
    CausalLM,
    Denoising,
    DenoisingAutoencoder,
    EncoderDecoderPrefixLM,
    MaskedLM,
    NextSentence,
    PrefixLM,
    SentencePermutation,
    SpanCorruption,
    SpanMasking,
    Supervised,
    TextInfilling,
    TokenDeletion,
)
from lmcourse.viz import style
from lmcourse.viz.objectives import View, detection_view, view_of, what_objectives_see

from .boxes import crowded

WORDS = [
    "<pad>",
    "</s>",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "<X>",
    "<Y>",
    "<Z>",
    "Thank",
    "you",
    "for",
    "inviting",
    "me",
    ".",
    "See",
    "next",
    "week",
    "film",
    "was",
]
PAD, END, CLS, SEP, MASK, *SENTINELS = range(8)
SENTENCE = ["Thank", "you", "for", "inviting", "me", ".", "See", "you", "next", "week", "."]
TEXT = torch.tensor([WORDS.index(word) for word in SENTENCE])
MASKING = {"mask": MASK, "vocab_size": len(WORDS), "special": tuple(range(8))}
BART = {"start": END, "pad": PAD}
PAIR = NextSentence(MaskedLM(**MASKING, probability=0.2), CLS, SEP)
OBJECTIVES = {
    "causal": CausalLM(),
    "prefix": PrefixLM(),
    "masked": MaskedLM(**MASKING, probability=0.3),
    "span masking": SpanMasking(**MASKING, probability=0.3),
    "autoencoder": DenoisingAutoencoder(MASK, tuple(range(8)), probability=0.3),
    "span corruption": SpanCorruption(tuple(SENTINELS), density=0.3, end=None, tail=True),
    "prefix in, rest out": EncoderDecoderPrefixLM(end=None),
    "infilling": Denoising((TextInfilling(MASK),), **BART),
    "deletion": Denoising((TokenDeletion(0.25),), **BART),
    "permutation": Denoising((SentencePermutation((WORDS.index("."),)),), **BART),
    "supervised": Supervised((WORDS.index("."), WORDS.index("was"))),
}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def prepared(name: str, seed: int = 0) -> View:
    return view_of(name, OBJECTIVES[name].prepare(TEXT[None], generator=generator(seed)), TEXT, WORDS)


def pair(seed: int) -> View:
    ids, real = PAIR.pack([(TEXT[:6].tolist(), TEXT[6:].tolist()), ([17] * 2, [18] * 5)])
    return view_of("pair", PAIR.prepare(ids, attend=real, generator=generator(seed)), TEXT, WORDS)


def views() -> list[View]:
    filled = TEXT.clone()
    filled[3] = WORDS.index("film")
    return [*map(prepared, OBJECTIVES), detection_view("replaced", filled, TEXT, WORDS), pair(5)]


def test_a_decoder_says_the_next_token_at_every_position():
    view = prepared("causal")
    assert (view.inputs, view.targets) == (SENTENCE[:-1], SENTENCE[1:])
    assert view.changed == [False] * 10


def test_a_prefix_has_no_loss_before_its_last_token():
    lengths = set()
    for seed in range(8):
        targets = prepared("prefix", seed).targets
        lengths.add(length := 1 + targets.count(None))
        assert targets == [None] * (length - 1) + SENTENCE[length:]
    assert len(lengths) > 3


@pytest.mark.parametrize("name", ["masked", "span masking", "autoencoder"])
def test_an_encoder_says_what_was_there(name):
    kinds = set()
    for seed in range(20):
        view = prepared(name, seed)
        for was, read, said, changed in zip(SENTENCE, view.inputs, view.targets, view.changed, strict=True):
            assert said in (None, was)
            assert changed == (read != was)
            assert said is not None or not changed
            kinds.add((said is not None, "mask" if read == "[MASK]" else "same" if read == was else "random"))
    assert {(True, "mask"), (True, "same")} <= kinds
    assert ((True, "random") in kinds) == (name != "autoencoder")


def test_an_encoder_decoder_writes_what_its_objective_asks_for():
    view = prepared("span corruption", 1)
    start = view.inputs.index("<X>")
    hidden = SENTENCE[start : len(SENTENCE) - (len(view.inputs) - start - 1)]
    assert view.targets == ["<X>", *hidden, "<Y>"]
    assert view.inputs == [*SENTENCE[:start], "<X>", *SENTENCE[start + 3 :]]
    assert [token for token, changed in zip(view.inputs, view.changed, strict=True) if changed] == ["<X>"]
    split = prepared("prefix in, rest out", 1)
    assert [*split.inputs, *split.targets] == SENTENCE
    for name in ("infilling", "deletion", "permutation"):
        assert prepared(name).targets == SENTENCE
    assert [token == "[MASK]" for token in prepared("infilling").inputs] == prepared("infilling").changed
    assert sorted(prepared("permutation").inputs) == sorted(SENTENCE)
    assert len(prepared("deletion").inputs) == 8


def test_a_pair_has_segments_and_says_whether_it_is_one():
    said = set()
    for seed in range(12):
        view = pair(seed)
        read = [target or token for token, target in zip(view.inputs, view.targets, strict=True)]
        said.add((view.targets[0], "was" in read, "week" in read))
        cut = view.inputs.index("[SEP]") + 1
        assert view.segments == ["A"] * cut + ["B"] * (len(view.inputs) - cut)
        assert view.inputs[-1] == "[SEP]"
        for read, target, changed in zip(view.inputs[1:], view.targets[1:], view.changed[1:], strict=True):
            assert changed == (target is not None and target != read)
    assert said == {("follows", False, True), ("random", True, False)}


@pytest.mark.parametrize("left", [True, False])
def test_padding_is_left_out(left):
    ids = torch.full((2, 14), PAD)
    ids[0, -11 if left else 0 : None if left else 11] = TEXT
    ids[1] = WORDS.index("film")
    for name in ("causal", "masked", "span corruption"):
        batch = OBJECTIVES[name].prepare(ids, attend=ids != PAD, generator=generator())
        view = view_of(name, batch, TEXT, WORDS)
        assert "<pad>" not in view.inputs
        assert set(view.inputs) >= {"Thank", "week"} - set(view.targets)
        assert not view.aligned or len(view.inputs) == len(view.targets) == len(TEXT) - (name == "causal" and left)
    assert set(view_of("other", batch, TEXT, WORDS, row=1).targets) == {"<X>", "<Y>", "film"}


def test_a_discriminator_says_at_each_position_whether_it_is_the_original():
    filled = TEXT.clone()
    filled[[3, 8]] = torch.tensor([17, 18])
    view = detection_view("replaced", filled, TEXT, WORDS)
    assert "".join(view.targets) == "===≠====≠=="
    assert [view.inputs[3], view.inputs[8]] == ["film", "was"]
    assert view.changed == [target == "≠" for target in view.targets]


def chips(axes) -> list[FancyBboxPatch]:
    return [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]


def test_every_token_of_every_objective_is_drawn_in_order():
    given = views()
    axes = what_objectives_see(given)
    shown = [text.get_text() for text in axes.texts]
    expected = ["token", "read as it is", "token", "changed", "token", "to predict: a loss", "·   no loss"]
    for view in given:
        losses = len(view.targets) - view.targets.count(None)
        expected += [view.name, f"loss at {losses} of {len(view.targets)}"]
        expected += ["segment", *view.segments] if view.segments else []
        expected += ["input", *view.inputs, "target", *(target or "·" for target in view.targets)]
    assert shown == expected
    assert axes.figure.get_size_inches()[0] == style.WIDTH


def test_dark_tokens_bear_a_loss_and_heavy_edges_are_changes():
    given = views()
    patches = chips(what_objectives_see(given))
    fills = [to_hex(patch.get_facecolor()) for patch in patches]
    assert fills.count(style.COLORS["blue"].lower()) == 1 + sum(
        len(view.targets) - view.targets.count(None) for view in given
    )
    heavy = sum(patch.get_linewidth() > 1 for patch in patches)
    assert heavy == 1 + sum(sum(view.changed) for view in given)
    assert len(set(fills)) == 3 + 1  # and none, of what has no ground


def test_nothing_touches_or_is_cut_off_and_the_type_can_be_read():
    axes = what_objectives_see(views())
    assert crowded(axes) == []
    width = axes.figure.get_size_inches()[0]
    boxes = [patch.get_window_extent() for patch in chips(axes)]
    assert all(box.x0 >= 0 and box.x1 <= axes.figure.bbox.x1 for box in boxes)
    for one, other in pairwise(boxes):
        assert not one.padded(-0.5).overlaps(other.padded(-0.5))
    assert min(text.get_fontsize() for text in axes.texts) / 72 * 720 / width >= 11  # pixels in the book
    for text in (text.get_window_extent() for text in axes.texts):
        holding = [box for box in boxes if box.overlaps(text)]
        assert all(box.x0 <= text.x0 and text.x1 <= box.x1 for box in holding)


def test_aligned_columns_stand_below_each_other():
    axes = what_objectives_see([View("x", ["a", "inviting"], ["randomly", None], [False, True])])
    place = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert place["a"] == place["randomly"] < place["inviting"] == place["·"]


def test_bad_input_is_refused():
    good = View("good", ["a"], ["b"], [False])
    with pytest.raises(ValueError, match=r"nothing to draw: \[\]"):
        what_objectives_see([])
    with pytest.raises(ValueError, match="'good' has 1 inputs, 2 targets and 1 marks"):
        what_objectives_see([good._replace(targets=["a", "b"])])
    with pytest.raises(ValueError, match="1 targets and 3 marks"):
        what_objectives_see([good._replace(changed=[True] * 3)])
    with pytest.raises(ValueError, match=r"segments \['A', 'B'\]"):
        what_objectives_see([good._replace(segments=["A", "B"])])
    with pytest.raises(ValueError, match="0 inputs, 0 targets"):
        what_objectives_see([View("none", [], [], [])])
    with pytest.raises(ValueError, match=r"the 60 tokens of 'long' do not fit 5\.2 inches"):
        what_objectives_see([good, View("long", ["word"] * 60, ["word"] * 60, [False] * 60)])
    with pytest.raises(ValueError, match=r"no row 1 in a batch of \['ids', 'labels'\]"):
        view_of("x", {"ids": TEXT[None], "labels": TEXT[None]}, TEXT, WORDS, row=1)
    with pytest.raises(ValueError, match=r"a batch of \['ids'\]"):
        view_of("x", {"ids": TEXT[None]}, TEXT, WORDS)
    with pytest.raises(ValueError, match=r"not \(3,\) and \(11,\)"):
        detection_view("x", TEXT[:3], TEXT, WORDS)
