"""The benchmark of grading: our side works, the promises, and what the points are of."""

from benchmarks import homework, homework_jobs
from tools.homework_class import ALL, drawn


def test_our_side_grades_a_drawn_class(tmp_path):
    found = homework_jobs.ours(tmp_path, count=2, workers=1)
    assert found.amount == 2
    assert 0 < found.figures["mean"] < ALL
    ((_, seconds, cpu, before, peak),) = found.laps
    assert cpu > 0
    assert seconds > 0
    assert 0 < before < peak  # the process of the submissions holds torch too
    assert homework_jobs.ours(tmp_path, count=2, workers=1).digest == found.digest


def test_notebooks_differ_and_stay_the_same():
    assert drawn(0) == drawn(0) != drawn(1)


def test_the_promises():
    (ratio,) = homework.wanted()
    assert (ratio.sign, ratio.must, ratio.goal) == ("≥", 1, 5)
    two, one, theirs = homework.plan()[0].jobs
    assert [two.options, one.options, theirs.options] == [
        {"count": 200, "workers": 2},
        {"count": 200, "workers": 1},
        {"count": 200},
    ]
    assert (ratio.over[1], ratio.under[1]) == (theirs.name, two.name)
