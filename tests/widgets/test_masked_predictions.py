"""Masked predictions: what is read from logits, and what a reader sees who hides a token."""

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from torch import Tensor

from lmcourse.widgets.masked_predictions import (
    MaskedPredictions,
    MaskedSentence,
    Prediction,
    mask_each,
    top_predictions,
)

from .scripts import page_with

NAMES = ["[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(37))]
IDS = torch.tensor([0, 5, 9, 30, 1])
OTHER = torch.tensor([0, 7, 1])


def logits(ids: Tensor, seed: int) -> Tensor:
    size = len(ids)
    return 2 * torch.randn(size, size, len(NAMES), generator=torch.Generator().manual_seed(seed))


def sentence(ids: Tensor, *seeds: int) -> MaskedSentence:
    tokens = [NAMES[i] for i in ids]
    found = {f"model {seed}": top_predictions(logits(ids, seed), ids, NAMES, special=(0, 1, 2), k=6) for seed in seeds}
    return MaskedSentence(" ".join(tokens[1:-1]), tokens, found)


@pytest.fixture(scope="module")
def figure() -> MaskedPredictions:
    return MaskedPredictions([sentence(IDS, 1, 2), sentence(OTHER, 1, 2)])


@pytest.fixture(scope="module")
def markup(figure: MaskedPredictions) -> str:
    return figure._repr_html_()


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    return page_with(browser, MaskedPredictions, "percent", "unpack", "describe", "walk")


def test_each_token_is_masked_once():
    ids = IDS.clone()
    rows = mask_each(ids, 2)
    assert rows.tolist() == [[2 if s == t else i for s, i in enumerate(IDS.tolist())] for t in range(5)]
    assert ids.tolist() == IDS.tolist()


def test_predictions_are_those_of_the_masked_position_in_falling_order():
    given = logits(IDS, 1)
    kept = given.clone()
    found = top_predictions(given, IDS, NAMES, special=(0, 1, 2), k=6)
    assert torch.equal(given, kept)
    assert [one is None for one in found] == [True, False, False, False, True]
    for place in (1, 2, 3):
        shares = given[place, place].double().softmax(0).tolist()
        ranked = sorted(range(len(NAMES)), key=lambda i: (-shares[i], i))
        assert [name for name, _ in found[place].top] == [NAMES[i] for i in ranked[:6]]
        assert [share for _, share in found[place].top] == pytest.approx([shares[i] for i in ranked[:6]])
        assert found[place].rank == ranked.index(int(IDS[place])) + 1
        assert found[place].probability == pytest.approx(shares[int(IDS[place])])


def test_among_equals_the_lowest_id_comes_first():
    (found,) = top_predictions(torch.zeros(1, 1, 4), torch.tensor([2]), ["a", "b", "c", "d"], k=3)
    assert found == Prediction([("a", 0.25), ("b", 0.25), ("c", 0.25)], 3, 0.25)


def test_shares_are_written_with_three_digits(functions):
    shares = [1, 0.3456, 0.0999, 0.01234, 0.00005, 0]
    written = functions.evaluate("shares => shares.map(percent)", shares)
    assert written == ["100.0%", "34.6%", "9.99%", "1.23%", "<0.01%", "<0.01%"]


def test_arrow_keys_pass_over_what_cannot_be_masked(functions):
    free = [False, True, False, True, True, False]
    go = lambda place, key: functions.evaluate("([free, place, key]) => walk(free, place, key)", [free, place, key])  # noqa: E731
    assert [go(1, key) for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "Home", "End")] == [
        3,
        3,
        1,
        1,
        1,
        4,
    ]
    assert [go(4, "ArrowRight"), go(4, "ArrowLeft"), go(3, "ArrowUp")] == [4, 3, 1]
    assert go(1, "Tab") is None


def panel(page: Page, model: str) -> tuple[list[str], list[str], list[str], str]:
    """Tokens, shares, the marked tokens, and the sentence below."""
    region = page.get_by_role("region", name=model)
    shares = region.locator(".lm-guess-share").evaluate_all("all => all.map((one) => one.firstChild.textContent)")
    marked = region.locator(".lm-right .lm-guess").all_inner_texts()
    return region.locator(".lm-guess").all_inner_texts(), shares, marked, region.locator(".lm-note").inner_text()


def expected(functions: Page, ids: Tensor, place: int, seed: int) -> tuple[list[str], list[str], list[str], str]:
    own = logits(ids, seed)[place, place].double().softmax(0)
    values, order = own.sort(descending=True)
    hidden = NAMES[ids[place]]
    write = lambda share: functions.evaluate("share => percent(share)", round(float(share), 5))  # noqa: E731
    names = [NAMES[i] for i in order[:6]]
    rank = order.tolist().index(int(ids[place])) + 1
    below = f"Hidden: “{hidden}”, rank {rank}, {write(own[ids[place]])}."
    return names, [write(share) for share in values[:6]], [hidden] * (hidden in names), below


def chips(page: Page) -> list[str]:
    return page.get_by_role("listbox").locator(".lm-chip").all_inner_texts()


def check(page: Page, functions: Page, ids: Tensor, place: int) -> None:
    assert chips(page) == ["[MASK]" if i == place else NAMES[token] for i, token in enumerate(ids.tolist())]
    assert page.get_by_role("option", selected=True).locator("visible=true").all_inner_texts() == ["[MASK]"]
    for seed in (1, 2):
        assert panel(page, f"model {seed}") == expected(functions, ids, place, seed)


def test_the_reader_masks_a_token_by_mouse_and_sees_each_models_predictions(open_page, functions, markup):
    page = open_page(markup)
    check(page, functions, IDS, 2)
    page.locator(".lm-chip").nth(1).click()
    check(page, functions, IDS, 1)
    expect(page.get_by_role("status")).to_contain_text("“w2” is hidden. model 1: “")
    page.locator(".lm-chip").nth(4).click(force=True)  # [SEP] cannot be masked
    check(page, functions, IDS, 1)
    page.get_by_role("combobox", name="Sentence").select_option(label="w4")
    check(page, functions, OTHER, 1)


def test_arrow_keys_walk_through_the_tokens_and_stay_in_the_figure(open_page, functions, markup):
    page = open_page(markup)
    page.evaluate("addEventListener('keydown', (event) => { window.leaked = event.key; })")
    page.get_by_role("combobox").focus()
    page.keyboard.press("Tab")
    for key, place in {"Home": 1, "ArrowRight": 2, "ArrowDown": 3, "ArrowLeft": 2, "End": 3, "ArrowUp": 2}.items():
        page.evaluate("delete window.leaked")
        page.keyboard.press(key)
        check(page, functions, IDS, place)
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == f"{NAMES[IDS[place]]}, masked"
        assert page.evaluate("window.leaked ?? null") is None


def test_bars_are_as_long_as_the_probabilities(open_page, markup):
    page = open_page(markup)
    widths = page.get_by_role("region", name="model 2").locator(".lm-guess-bar span").evaluate_all(
        "bars => bars.map((bar) => parseFloat(bar.style.width))"
    )  # fmt: skip
    shares = logits(IDS, 2)[2, 2].double().softmax(0).sort(descending=True).values[:6]
    assert widths == pytest.approx((100 * shares / shares[0]).tolist(), abs=0.02)


def test_any_token_passes_through(open_page):
    names = ["</script>", "<!--", "a&b", " ", "w" * 80]
    found = top_predictions(torch.zeros(1, 1, 5), torch.tensor([0]), names, k=5)
    page = open_page(MaskedPredictions([MaskedSentence("</script>", names[:1], {"<b>": found})])._repr_html_())
    assert panel(page, "<b>")[0] == ["</script>", "<!--", "a&b", "␣", "w" * 80]
    assert chips(page) == ["[MASK]"]


def test_the_table_without_scripts_has_the_best_of_each_model(open_page, markup):
    page = open_page(markup, scripts=False)
    rows = page.locator("table").first.locator("tr").all()
    assert rows[0].locator("th").all_inner_texts() == ["Hidden", "model 1", "model 2"]
    for row, place in zip(rows[1:], (1, 2, 3), strict=True):
        assert row.locator("th").inner_text() == NAMES[IDS[place]]
        for cell, seed in zip(row.locator("td").all_inner_texts(), (1, 2), strict=True):
            own = logits(IDS, seed)[place, place].double().softmax(0)
            assert cell == f"{NAMES[int(own.argmax())]}, {100 * float(own.max()):.1f}%"


def test_typical_data_is_small():
    ids = torch.tensor([0, *range(3, 18), 1])
    names = [*NAMES[:3], *(f"token{i}" for i in range(37))]
    made = {f"after {n} steps": top_predictions(logits(ids, n), ids, names, special=(0, 1)) for n in range(4)}
    figure = MaskedPredictions([MaskedSentence(f"{i}", [names[j] for j in ids], made) for i in range(6)])
    assert len(figure._repr_html_().encode()) < 100_000


def test_bad_input_is_refused():
    good = sentence(IDS, 1)
    one = Prediction([("a", 0.5)], 1, 0.5)
    with pytest.raises(ValueError, match=r"0 sentences with the models \[\]"):
        MaskedPredictions([])
    with pytest.raises(ValueError, match=r"1 sentences with the models \[\]"):
        MaskedPredictions([good._replace(predictions={})])
    with pytest.raises(ValueError, match=r"\['model 2'\], the first sentence of \['model 1'\]"):
        MaskedPredictions([good, sentence(OTHER, 2)])
    with pytest.raises(ValueError, match=r"'x' has 2 tokens and predictions for \{'m': 1\}"):
        MaskedPredictions([MaskedSentence("x", ["a", "b"], {"m": [one]})])
    with pytest.raises(ValueError, match="only some models have a prediction for token 0, 'a'"):
        MaskedPredictions([MaskedSentence("x", ["a"], {"m": [one], "n": [None]})])
    with pytest.raises(ValueError, match="'x' has no token that can be masked"):
        MaskedPredictions([MaskedSentence("x", ["a"], {"m": [None]})])
    for shares in ([], [0.2, 0.3], [1.5], [-0.1], [float("nan")]):
        wrong = Prediction([("a", share) for share in shares], 1, 0.5)
        with pytest.raises(ValueError, match=r"'x': the probabilities for token 0 do not fall: \["):
            MaskedPredictions([MaskedSentence("x", ["a"], {"m": [wrong]})])
    with pytest.raises(ValueError, match=r"not \(2, 3\)"):
        mask_each(torch.zeros(2, 3, dtype=torch.long), 2)
    with pytest.raises(ValueError, match=r"need logits \(5, 5, 40\), not \(5, 40\)"):
        top_predictions(torch.zeros(5, 40), IDS, NAMES)
    with pytest.raises(ValueError, match="1 bad"):
        top_predictions(logits(IDS, 1).index_put((torch.tensor(0),) * 3, torch.tensor(torch.inf)), IDS, NAMES)
    with pytest.raises(ValueError, match="from 1 to 40 tokens, not 41"):
        top_predictions(logits(IDS, 1), IDS, NAMES, k=41)
