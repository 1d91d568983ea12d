"""Rationales and their votes: the browser counts as Python does, and the slider adds one sample after the other."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from lmcourse.prompting.self_consistency import majority
from lmcourse.widgets.rationale_viewer import RationaleViewer, SampledQuestion, SampledRationale, right_by_votes, votes

from .scripts import page_with

WRONG = SampledRationale(["3 + 4 = 8", "8 + 2 = 0"], "0", 0)
RIGHT = SampledRationale(["4 + 2 = 6", "6 + 3 = 9"], "9", None)
OTHER = SampledRationale(["4 + 3 = 7", "7 + 2 = 9"], "8", 2)
NONE = SampledRationale(["4 + 3 = </script>"], "", 0)
QUESTIONS = [
    SampledQuestion("sum 3 4 2 =", "9", "0", [WRONG, NONE, RIGHT, OTHER, RIGHT]),
    SampledQuestion("sum <b>1</b> 1 =", "2", "", [RIGHT, WRONG, WRONG, WRONG, NONE]),
]
ANSWERS = st.lists(st.sampled_from(["", "0", "1", "2", "10", "yes", "__proto__"]), max_size=12)


@pytest.fixture(scope="module")
def markup() -> str:
    return RationaleViewer(QUESTIONS)._repr_html_()


@pytest.fixture(scope="module")
def functions(browser: Browser) -> Page:
    return page_with(
        browser, RationaleViewer, "votes", "majority", "rightByVotes", "describeVotes", "describeRationale"
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answers=ANSWERS)
def test_votes_are_those_of_python(functions, answers):
    assert functions.evaluate("answers => [votes(answers), majority(answers)]", answers) == [
        [list(vote) for vote in votes(answers)],
        majority(answers),
    ]


def test_the_first_of_equal_answers_wins():
    assert votes(["3", "", "4", "4", "3"]) == [("3", 2), ("4", 2)]
    assert votes(["", ""]) == []


def test_right_answers_by_number_of_samples(functions):
    found = [right_by_votes(QUESTIONS, n) for n in range(1, 6)]
    assert found == [0, 0, 0, 0, 1]
    data = RationaleViewer(QUESTIONS).data()["questions"]
    assert functions.evaluate("all => [1, 2, 3, 4, 5].map((n) => rightByVotes(all, n))", data) == found


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 sample: 0 has 1 vote; wrong, it is 9"),
        (3, "3 samples: 0 has 1 vote, tied, and the first to come up; wrong, it is 9"),
        (5, "5 samples: 9 has 2 votes; right"),
    ],
)
def test_what_is_said_of_votes(functions, count, said):
    data = RationaleViewer(QUESTIONS).data()["questions"][0]
    assert functions.evaluate("([one, n]) => describeVotes(one, n)", [data, count]) == said


def test_what_is_said_of_a_rationale(functions):
    said = functions.evaluate("all => all.map(describeRationale)", [one._asdict() for one in (WRONG, RIGHT, OTHER)])
    assert said == ["step 1 is wrong", "every step is right", "the steps do not lead to the answer"]
    nothing = {"truth": "1", "samples": [NONE._asdict()]}
    assert functions.evaluate("one => describeVotes(one, 1)", nothing) == "1 sample: no answer"


def shown(page: Page) -> list[str]:
    return page.locator(".lm-rationales li:visible").evaluate_all("all => all.map((one) => one.innerText)")


def counted(page: Page) -> dict[str, str]:
    rows = page.locator(".lm-votes-row")
    return {
        row.locator(".lm-votes-name").inner_text(): row.locator(".lm-votes-count").inner_text() for row in rows.all()
    }


def test_the_slider_adds_samples(open_page, markup):
    page = open_page(markup)
    slider = page.get_by_role("slider", name="Samples")
    assert len(shown(page)) == 1
    assert counted(page) == {"0": "1", "8": "0", "9 ✓": "0"}
    slider.focus()
    for key, samples, counts in (
        ("ArrowRight", 2, {"0": "1", "8": "0", "9 ✓": "0"}),
        ("End", 5, {"0": "1", "8": "1", "9 ✓": "2"}),
        ("ArrowLeft", 4, {"0": "1", "8": "1", "9 ✓": "1"}),
    ):
        page.keyboard.press(key)
        assert len(shown(page)) == samples
        assert counted(page) == counts
        assert slider.get_attribute("aria-valuetext") == f"{samples} samples"
    assert page.locator(".lm-votes-first .lm-votes-name").inner_text() == "0"
    page.keyboard.press("End")
    assert page.locator(".lm-votes-first .lm-votes-name").inner_text() == "9 ✓"
    expect(page.get_by_role("status")).to_contain_text("5 samples: 9 has 2 votes; right.")


def test_only_the_newest_are_listed(open_page):
    many = [RIGHT._replace(answer=str(i)) for i in range(9)]
    page = open_page(RationaleViewer([QUESTIONS[0]._replace(samples=many)], shown=7)._repr_html_())
    assert [text.split("→ ")[1] for text in shown(page)] == ["1", "2", "3", "4", "5", "6"]
    assert page.locator("li:visible").first.get_attribute("value") == "2"
    assert set(counted(page).values()) == {"0", "1"}
    assert page.locator(".lm-votes-first").count() == 1


def test_wrong_steps_are_marked(open_page, markup):
    page = open_page(markup)
    page.get_by_role("slider").fill("5")
    assert page.locator(".lm-step-wrong").all_inner_texts() == ["✗ 3 + 4 = 8", "✗ 4 + 3 = </script>"]
    assert page.locator(".lm-step-after").all_inner_texts() == ["8 + 2 = 0"]
    assert page.locator("li").nth(3).get_attribute("aria-label").endswith("the steps do not lead to the answer")
    assert page.locator("li").nth(1).inner_text().endswith("→ no answer")


def test_another_question(open_page, markup):
    page = open_page(markup)
    page.get_by_role("slider").fill("4")
    page.get_by_role("combobox", name="Question").select_option("sum <b>1</b> 1 =")
    assert counted(page) == {"0": "3", "2 ✓": "0", "9": "1"}
    text = page.locator(".lm-figure").inner_text()
    assert "Right answer: 2. With its most probable rationale the model says nothing." in text
    assert "With 4 samples the vote is right for 0 of the 2 questions" in text


def test_nothing_jumps(open_page, markup):
    page = open_page(markup, width=720)
    heights = set()
    for count in range(1, 6):
        page.get_by_role("slider").fill(str(count))
        heights.add(page.locator(".lm-figure").evaluate("el => el.getBoundingClientRect().height"))
    assert len(heights) == 1


def test_the_table_without_scripts(open_page, markup):
    page = open_page(markup, scripts=False)
    rows = [row.locator("td").all_inner_texts() for row in page.locator("tr").all()[1:]]
    assert rows[0] == ["sum 3 4 2 =", "9", "0", "9 (2), 0 (1), 8 (1)"]
    assert rows[1][0] == "sum <b>1</b> 1 ="


def test_typical_data_is_small():
    long = SampledRationale(["1 + 2 = 3"] * 4, "3", None)
    questions = [SampledQuestion(f"sum {i} 2 3 4 5 =", "3", "3", [long] * 20) for i in range(8)]
    assert len(RationaleViewer(questions)._repr_html_().encode()) < 40_000


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"1 of \[\] samples"):
        RationaleViewer([])
    with pytest.raises(ValueError, match=r"1 of \[1, 5\] samples"):
        RationaleViewer([QUESTIONS[0], QUESTIONS[1]._replace(samples=[RIGHT])])
    with pytest.raises(ValueError, match=r"6 of \[5\] samples"):
        RationaleViewer(QUESTIONS, shown=6)
    with pytest.raises(ValueError, match="comes twice"):
        RationaleViewer([QUESTIONS[0], QUESTIONS[0]])
    with pytest.raises(ValueError, match="step 3 is wrong of"):
        RationaleViewer([QUESTIONS[0]._replace(samples=[RIGHT._replace(wrong=3)])])
