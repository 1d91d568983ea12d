"""The stored labs, looked at without running them; running them is nbval's part, with `tests/notebooks/plugin.py`."""

import pytest

from tools.check_lab import problems
from tools.project import labs


def test_the_first_room_has_a_lab():
    assert "tokenization" in [path.stem for path in labs()]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in labs()])
def test_lab_is_whole(path):
    assert problems(path) == []
