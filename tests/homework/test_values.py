"""What may cross between a submission and the grader, and that nothing else does."""

import itertools
import math

import numpy as np
import pytest
import torch

from lmcourse.homework.compare import same
from lmcourse.homework.student import LocalStudent
from lmcourse.homework.values import NotPlain, dump, load, text_of

PLAIN = [
    None,
    True,
    3,
    2.5,
    -math.inf,
    "a\ud800b",
    b"\0x",
    [1, [2]],
    (1, ("a",)),
    {("a", 1): [2.0]},
    {1, 2},
    2**80,
    [],
    (),
]
TENSORS = [
    torch.arange(6).reshape(2, 3),
    torch.tensor(1.5, dtype=torch.bfloat16),
    torch.zeros(0, 3),
    torch.tensor([True, False]),
    torch.randn(3, 4).T,
]


@pytest.mark.parametrize("value", PLAIN)
def test_plain_values_cross_unchanged(value):
    data, blobs = dump(value)
    text_of(data)
    found = load(data, blobs)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("value", TENSORS)
def test_tensors_cross_unchanged(value):
    found = load(*dump(value))
    assert found.dtype == value.dtype
    assert torch.equal(found, value)
    array = load(*dump(value.float().numpy()))
    assert isinstance(array, np.ndarray)


class Yes:
    def __eq__(self, other):
        return True

    __hash__ = object.__hash__


class Liar(int):
    def __eq__(self, other):
        return True

    def __int__(self):
        return 42

    __hash__ = int.__hash__


class Wide(torch.Tensor):
    @property
    def shape(self):
        return torch.Size([7])

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.ones(7)


STRANGE = [Yes(), [Yes()], object, lambda: 1, iter([]), torch.zeros(2).to_sparse(), 1j, np.array(["a"])]


@pytest.mark.parametrize("value", STRANGE)
def test_anything_else_does_not(value):
    with pytest.raises(NotPlain):
        dump(value)


def test_what_contains_itself_does_not():
    loop = []
    loop.append(loop)
    with pytest.raises(NotPlain, match="contains itself"):
        dump(loop)


def test_a_subclass_crosses_as_what_it_is():
    assert load(*dump(Liar(3))) == 3
    found = load(*dump(torch.zeros(2).as_subclass(Wide)))
    assert type(found) is torch.Tensor
    assert torch.equal(found, torch.zeros(2))


@pytest.mark.parametrize(
    ("data", "blobs"),
    [
        (["tensor", "float32", [2], 0], [b"1234"]),
        (["tensor", "float32", [-1, -1], 0], [b"1234"]),
        (["tensor", "object", [1], 0], [b"12345678"]),
        (["tensor", "bool", [1], 0], [b"\2"]),
        (["tensor", "int8", [1] * 40, 0], [b"\2"]),
        (["tensor", "int8", [2**33, 0], 0], [b""]),
        (["tensor", "int8", [2**62, 2**62, 0], 0], [b""]),
        (["set", *(["tuple", *each] for each in itertools.product((-1, -2), repeat=10))], []),
        (["dict", *([["tuple", *each], 1] for each in itertools.product((-1, -2), repeat=10))], []),
        (["bytes", 3], []),
        (["function", 0], []),
        (["generator", 0], [b""]),
        (["code", "import os"], []),
        (["dict", [["list"], 1]], []),
        (["dict", [2**61, 1]], []),
        ({"a": 1}, []),
        ([], []),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_value_is_refused(data, blobs):
    with pytest.raises(NotPlain):
        load(data, blobs)


def test_a_function_is_called_back_and_a_generator_is_handed_on():
    student = LocalStudent(lambda f, g: (f(2), float(torch.rand(1, generator=g))), "f")
    seeded = torch.Generator().manual_seed(5)
    expected = float(torch.rand(1, generator=torch.Generator().manual_seed(5)))
    assert student(lambda x: x + 1, seeded).value == (3, expected)
    assert student(lambda x: x + 1, seeded).value == (3, expected)  # a copy crossed


@pytest.mark.parametrize(
    ("got", "expected", "kind"),
    [
        (torch.tensor([1.0]), torch.tensor([1.0]), None),
        (torch.tensor([1.0], dtype=torch.float64), torch.tensor([1.0]), "type"),
        (np.array([1.0], dtype=np.float32), torch.tensor([1.0]), "type"),
        ([1.0], torch.tensor([1.0]), "type"),
        (torch.tensor([[1.0]]), torch.tensor([1.0]), "value"),
        (torch.tensor([1.001]), torch.tensor([1.0]), "value"),
        (torch.tensor([math.nan]), torch.tensor([math.nan]), None),
        (torch.tensor(2.0), 2.0, "type"),
        (2, 2.0, None),
        (2.0, 2, "type"),
        (True, 1, "type"),
        (1, True, "type"),
        (0, None, "value"),
        (None, 0, "value"),
        ((1, 2), [1, 2], "type"),
        ([1, 2, 3], [1, 2], "value"),
        ({"a": 1.0}, {"a": 1}, "type"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, None),
        ({"a": 1}, {"b": 1}, "value"),
        ("a", "a", None),
        (b"a", "a", "value"),
        (-math.inf, -math.inf, None),
        ({1, 2}, {2, 1}, None),
        (10**400, 1.5, "value"),
        ([1.0, 10**400], torch.tensor([1.0, 2.0]), "value"),
    ],
    ids=str,
)
def test_comparison(got, expected, kind):
    found = same(got, expected)
    assert (found and found.kind) == kind


def test_a_call_in_the_notebook():
    assert LocalStudent(lambda x: x.append(1), "f")([]).changed
    assert not LocalStudent(lambda x: [*x, 1], "f")([]).changed
    assert LocalStudent(None, "f")(1).failure.kind == "missing"
    assert LocalStudent(lambda: 1, "f")(1).failure.kind == "signature"
    assert LocalStudent(lambda x: 1 / x, "f")(0).failure.kind == "ZeroDivisionError"
    assert LocalStudent(lambda x: Yes(), "f")(0).failure.kind == "value"

    def loop(x):
        while True:
            pass

    assert LocalStudent(loop, "f", seconds=0.1)(0).failure.kind == "slow"
