"""Auto-CoT: k-means against scikit-learn, both algorithms step by step with a model that can be read."""

import pytest
import torch
from sklearn.cluster import KMeans

from lmcourse.prompting import auto_cot
from lmcourse.prompting.auto_cot import Criteria, cluster, construct, k_means
from lmcourse.prompting.chain_of_thought import Rationale


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def blobs(seed=0, spread=0.3):
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])
    return centres.repeat_interleave(20, 0) + spread * torch.randn(60, 2, generator=seeded(seed))


@pytest.mark.parametrize("seed", range(5))
def test_rounds_are_those_of_lloyd(seed, monkeypatch):
    vectors = torch.randn(80, 4, generator=seeded(seed), dtype=torch.float64)
    start = vectors[:5].clone()
    monkeypatch.setattr(auto_cot, "_spread_out", lambda *_: start)
    centres, groups = k_means(vectors, 5, generator=seeded())
    theirs = KMeans(5, init=start.numpy(), n_init=1, algorithm="lloyd", tol=0).fit(vectors.numpy())
    assert groups.tolist() == theirs.labels_.tolist()
    torch.testing.assert_close(centres, torch.from_numpy(theirs.cluster_centers_))


@pytest.mark.parametrize("seed", range(10))
def test_separate_groups_are_found(seed):
    _, groups = k_means(blobs(), 3, generator=seeded(seed))
    assert len({tuple(groups[i : i + 20].tolist()) for i in (0, 20, 40)}) == 3
    assert all(len(set(groups[i : i + 20].tolist())) == 1 for i in (0, 20, 40))


def test_vectors_that_are_all_the_same():
    centres, groups = k_means(torch.ones(4, 2), 3, generator=seeded())
    assert centres.shape == (3, 2)
    assert len(set(groups.tolist())) == 1
    with pytest.raises(ValueError, match="between 1 and the 4 vectors, not 5"):
        k_means(torch.ones(4, 2), 5, generator=seeded())


def test_groups_are_sorted_by_the_distance_to_their_centre():
    vectors = blobs(spread=2.5)  # groups that touch
    groups = cluster(vectors, 3, generator=seeded())
    assert sorted(i for group in groups for i in group) == list(range(60))
    for group in groups:
        distances = (vectors[group] - vectors[group].mean(dim=0)).norm(dim=1)
        assert bool((distances.diff() >= -1e-5).all())


class Model:
    """Writes one step for each word of the question, and its number of words as answer."""

    def __init__(self):
        self.asked = []

    def __call__(self, prompt):
        question = prompt.split("\n")[0].removeprefix("Q: ")
        if "Therefore" in prompt:
            return f" {len(question.split())}." if "silent" not in question else ""
        self.asked.append(question)
        return "".join(f" Step {word}." for word in question.split())


QUESTIONS = ["a b c d e f", "a b", "x " * 61, "silent", "c d e", "far " * 5]


def test_the_first_simple_question_of_each_group():
    lm = Model()
    found = construct(lm, QUESTIONS, [[0, 1, 4], [2, 3, 4], [5]])
    assert [d.question for d in found] == ["a b", "c d e", QUESTIONS[5]]
    assert found[0] == Rationale("a b", "Let's think step by step. Step a. Step b.", "2")
    # six steps are too many, 61 words are not asked at all, no answer is no demonstration
    assert lm.asked == ["a b c d e f", "a b", "silent", "c d e", QUESTIONS[5]]


def test_a_group_may_give_none():
    assert construct(Model(), QUESTIONS, [[0], [3], [2]]) == ()
    assert len(construct(Model(), QUESTIONS, [[0]], criteria=Criteria(max_steps=6))) == 1
    assert construct(Model(), QUESTIONS, [[1]], criteria=Criteria(max_tokens=1)) == ()
    assert len(construct(Model(), QUESTIONS, [[2]], criteria=Criteria(100, 100, tokens=len))) == 0
