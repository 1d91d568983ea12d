"""What a cell would show, without a kernel: an IPython shell whose display publisher keeps the outputs."""

from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell


@pytest.fixture
def published(monkeypatch):
    """Run code as a cell would; gives all outputs as dictionaries with `data` and `metadata`."""
    shell = InteractiveShell.instance()
    monkeypatch.setattr(shell, "display_pub", CapturingDisplayPublisher())

    def run(code: Callable[[], Any]) -> list[dict[str, Any]]:
        code()
        return shell.display_pub.outputs

    yield run
    InteractiveShell.clear_instance()


@pytest.fixture
def shown(published):
    """Run code as a cell would; gives the data and the metadata of its only output."""

    def run(code: Callable[[], Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        (output,) = published(code)
        return output["data"], output["metadata"]

    return run
