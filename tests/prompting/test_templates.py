"""Templates: what is filled in, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmcourse.prompting.templates import Template

REVIEW = Template("Review: {text}\nSentiment: {label}")


def test_all_fields_are_filled():
    assert REVIEW.render(text="fine", label="good") == "Review: fine\nSentiment: good"
    assert REVIEW.fields == ("text", "label")
    assert Template("{a} and {a}").render(a="x") == "x and x"
    assert Template("{{literal}} {a}").render(a="x") == "{literal} x"


@given(st.text(), st.text())
def test_values_are_put_in_as_they_are(text, label):
    assert REVIEW.render(text=text, label=label) == "Review: " + text + "\nSentiment: " + label


@pytest.mark.parametrize("name", ["self", "field"])
def test_any_name_is_a_field(name):
    assert Template(f"a {{{name}}} b {{other}}").render(**{name: "x"}, other="y") == "a x b y"
    assert Template(f"a {{{name}}} b {{other}}").before("other", **{name: "x"}) == "a x b "


def test_missing_and_unknown_fields_are_named():
    with pytest.raises(ValueError, match=r"missing: \['label'\], unknown: \['lable'\]"):
        REVIEW.render(text="x", lable="y")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no field", "needs a field"),
        ("{", "in the template"),
        ("{} x", "plain name"),
        ("{a.b}", r"plain name, not \{a\.b\}"),
        ("{a!r}", r"plain name, not \{a!r\}"),
        ("{a:>3}", r"plain name, not \{a:>3\}"),
        ("{0}", "plain name"),
    ],
)
def test_texts_that_are_no_template(text, said):
    with pytest.raises(ValueError, match=said):
        Template(text)


def test_up_to_a_field():
    assert REVIEW.before("label", text="fine") == "Review: fine\nSentiment: "
    assert Template("{a}{b} tail {c}").before("c", a="1", b="2") == "12 tail "
    with pytest.raises(ValueError, match="'text' comes before 'label' and is missing"):
        REVIEW.before("label")
    with pytest.raises(ValueError, match="not 'other'"):
        REVIEW.before("other")
