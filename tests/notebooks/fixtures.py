"""The small lab, executed once per test module; load with `pytest_plugins`."""

import copy

import pytest

from tests.notebooks.tiny import unexecuted
from tools.notebooks import execute


@pytest.fixture(scope="module")
def executed():
    return execute(unexecuted())[0]


@pytest.fixture
def tiny(executed):
    """The executed lab, to be changed at will."""
    return copy.deepcopy(executed)


@pytest.fixture
def code(tiny):
    """Its code cells: Colab, imports, text, figure, claims, glue, widget, error."""
    return [cell for cell in tiny.cells if cell.cell_type == "code"]
