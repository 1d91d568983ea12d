"""What every test shares: the rule that nothing is skipped in CI, and the review texts."""

import os
from collections.abc import Generator

import pytest

from lmcourse.data import reviews


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    # An expected failure is reported as skipped too, but it ran and says why.
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"a skip is a failure in CI: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_if_skipped(report)
    return report


@pytest.fixture(scope="session")
def reviews_test() -> list[str]:
    """The whole test split of the reviews: 1,733 texts, 1.8 MB."""
    return reviews.texts("test")


@pytest.fixture(scope="session")
def reviews_all() -> list[str]:
    """The whole corpus: 33,530 texts, 34 MB."""
    return reviews.texts("all")
