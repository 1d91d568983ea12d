"""What nbval does not look at: pictures, widgets, metadata, where the package came from, time and memory.

A lab that was recorded on another processor has other last digits here: of it only the kinds of its outputs are
compared, and its own assertions decide.

Load with `-p tests.notebooks.plugin` beside `--nbval`. It reads the messages of the kernel that nbval runs, keeps the
notebook that they make, as the execution step of the labs would, and compares it cell by cell with the stored one.
"""

import ast
import copy
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from tools.canonical import normalise, widget_state
from tools.client import LabClient
from tools.compare import differences, other_kinds
from tools.meter import Meter
from tools.project import BUILD, platform_tag

MAX_SECONDS = 120
MAX_BYTES = 2e9
WHERE = "[getattr(__import__('sys').modules.get('lmcourse'), '__file__', None), __import__('sys').prefix]"
RUN = pytest.StashKey["Run"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--labs-from", default=str(BUILD / "wheel-env"), help="the environment that labs must import from")
    parser.addoption("--labs-record", default=str(BUILD / "lab-budgets.json"), help="the file for time and memory")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    if not isinstance(item, IPyNbCell):
        return (yield)
    if RUN not in item.parent.stash:
        item.parent.stash[RUN] = Run(item.parent)
    run = item.parent.stash[RUN]
    run.cell = item.cell_num
    if not run.exact:
        item.options["check"] = False
    result = yield
    problems = run.compare()
    if run.cell == len(run.positions) - 1:
        problems += run.finish(item)
    if problems:
        item.raise_cell_error("Not as stored", "\n".join(problems))
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
    budgets = dict(value for report in reports for name, value in report.user_properties if name == "lab-budget")
    if not budgets:
        return
    record = Path(terminalreporter.config.getoption("--labs-record"))
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps(budgets, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    terminalreporter.section("labs")
    for lab, spent in sorted(budgets.items()):
        terminalreporter.write_line(f"{lab}: {spent['seconds']:.0f} s, {spent['bytes'] / 1e9:.2f} GB")


class Run:
    """One lab while nbval runs it, cell after cell: the notebook that comes out, and what it takes."""

    def __init__(self, file: IPyNbFile) -> None:
        # nbval joins the stored texts in place, before it compares them.
        self.stored = copy.deepcopy(file.nb)
        self.positions = [i for i, cell in enumerate(file.nb.cells) if cell.cell_type == "code"]
        self.fresh = copy.deepcopy(file.nb)
        self.fresh.metadata.pop("widgets", None)
        self.cell, self.message = 0, ""
        self.exact = self.stored.metadata.get("lmcourse", {}).get("platform", platform_tag()) == platform_tag()
        self.neighbours = sorted(path.name for path in file.path.parent.iterdir() if path != file.path)
        self.client = LabClient(self.fresh)
        for position in self.positions:
            self.fresh.cells[position].outputs = []
        self._listen(file)
        self.kernel = file.kernel
        self.meter = Meter(file.kernel.km.provisioner.pid)

    def compare(self) -> list[str]:
        """What differs in the cell that has just run."""
        self.client.set_widgets_metadata()
        position = self.positions[self.cell]
        cells = normalise(self.stored).cells, normalise(self.fresh).cells
        old, new = cells[0][position].outputs, cells[1][position].outputs
        return differences(old, new, exact_pixels=True) if self.exact else other_kinds(old, new)

    def finish(self, item: IPyNbCell) -> list[str]:
        """What is wrong with the lab as a whole, after its last cell."""
        self.meter.stop()
        spent = {"seconds": round(self.meter.needed, 1), "bytes": self.meter.peak_bytes}
        item.user_properties.append(("lab-budget", (item.path.stem, spent)))
        problems = self._imported_from(item.config.getoption("--labs-from"))
        if self.exact and widget_state(normalise(self.stored)) != widget_state(normalise(self.fresh)):
            problems.append("the saved state of the widgets differs")
        if self.neighbours:
            problems.append(f"the working directory held more than the notebook: {self.neighbours}")
        if self.meter.needed > MAX_SECONDS or self.meter.peak_bytes > MAX_BYTES:
            problems.append(f"over the budget of {MAX_SECONDS} s and {MAX_BYTES / 1e9:.0f} GB: {spent}")
        return problems

    def _imported_from(self, environment: str) -> list[str]:
        reply = self.kernel.kc.execute(
            "", silent=True, user_expressions={"where": WHERE}, reply=True, timeout=30, store_history=False
        )
        answer = reply["content"]["user_expressions"]["where"]
        file, prefix = ast.literal_eval(answer["data"]["text/plain"])
        if file is None:
            return ["the lab does not import lmcourse"]
        inside = all(Path(path).is_relative_to(environment) for path in (file, prefix))
        return [] if inside else [f"lmcourse was imported from {file} by {prefix}, not from {environment}"]

    def _listen(self, file: IPyNbFile) -> None:
        # nbval keeps the outputs only; widgets' states and updates of a display are in the messages.
        get = file.get_kernel_message

        def execute_cell_input(source: str, allow_stdin: bool | None = None) -> str:
            # nbval keeps no history, without which IPython shows results that a semicolon should hide.
            self.message = file.kernel.kc.execute(source, allow_stdin=allow_stdin, stop_on_error=False)
            return self.message

        def get_kernel_message(*args: Any, **kwargs: Any) -> dict[str, Any]:
            while True:
                message = get(*args, **kwargs)
                if message["parent_header"].get("msg_id") != self.message or not self._keep(message):
                    return message

        file.kernel.execute_cell_input = execute_cell_input
        file.get_kernel_message = get_kernel_message

    def _keep(self, message: dict[str, Any]) -> bool:
        """Add a message to the fresh notebook; True if it belongs into a widget and nbval must not see it."""
        if message["msg_type"] == "status":
            return False
        captured = bool(self.client.output_hook_stack[self.message]) and not message["msg_type"].startswith("comm")
        position = self.positions[self.cell]
        self.client.process_message(copy.deepcopy(message), self.fresh.cells[position], position)
        return captured or message["msg_type"] in ("update_display_data", "clear_output")
