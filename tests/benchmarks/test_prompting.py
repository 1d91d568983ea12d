"""What the benchmark of prompting compares: the same prompts on all sides, the prefix read once on one of them."""

import pytest

from benchmarks import prompting, prompting_jobs


@pytest.fixture(scope="module")
def outcomes():
    sizes = {"questions": 3, "shots": 2, "batch_size": 2}
    return [
        prompting_jobs.ours(None, share=True, **sizes),
        prompting_jobs.ours(None, share=False, **sizes),
        prompting_jobs.library(None, **sizes),
    ]


def test_all_sides_choose_and_score_alike(outcomes):
    assert len({outcome.digest for outcome in outcomes}) == 1
    means = [outcome.figures["mean"] for outcome in outcomes]
    assert means == pytest.approx([means[0]] * 3, abs=2e-3)
    assert [outcome.amount for outcome in outcomes] == [3, 3, 3]
    assert all(len(outcome.laps) == 1 for outcome in outcomes)


def test_prompts_share_their_demonstrations_and_nothing_else():
    found = prompting_jobs.prompts(4, 16)
    shared = found[0].rsplit("\nReview:", 1)[0]
    assert shared.count("Sentiment:") == 16
    assert all(prompt.startswith(shared) for prompt in found)
    assert len(set(found)) == 4
    assert all(prompt.endswith("Sentiment:") for prompt in found)


def test_only_one_side_shares(monkeypatch):
    read = []
    real = prompting_jobs.label_logprobs

    def watched(model, *rest, **options):
        forward = model.body.forward
        model.body.forward = lambda ids, **more: (read.append(ids.numel()), forward(ids, **more))[1]
        try:
            return real(model, *rest, **options)
        finally:
            del model.body.forward

    monkeypatch.setattr(prompting_jobs, "label_logprobs", watched)
    counts = []
    for share in (True, False):
        read.clear()
        prompting_jobs.ours(None, questions=4, shots=4, batch_size=2, share=share)
        counts.append(sum(read))
    assert 2 * counts[0] < counts[1]


def test_the_promises():
    found = {ratio.name: (ratio.sign, ratio.must, ratio.goal) for ratio in prompting.wanted()}
    most, few = (group.title for group in prompting.plan())
    assert "16 demonstrations" in most
    assert found[most] == ("≥", 3, 3)
    assert found[few] == ("≥", None, None)
