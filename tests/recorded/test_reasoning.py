"""Decoders that reason: the texts they learn from, what they write, and nothing of the test in the training."""

import pytest
import torch

from lmcourse.data.arithmetic import END, WORDS, Chain, Sum, answer_of, split_of, wrong_step
from lmcourse.decoding import Sampling
from lmcourse.recorded import load, names
from lmcourse.recorded.reasoning import chain_rows, held_out, right, sum_rows, word_tokenizer, write

RUNS = [name for name in names() if name.startswith("reasoning-")]


def texts(rows):
    assert rows.attend is not None
    return [word_tokenizer().decode(ids[real].tolist()) for ids, real in zip(rows.ids.long(), rows.attend, strict=True)]


def problem_of(text):
    """Mode, problem and answer of a text, read by other code than that which wrote it."""
    mode, *words = text.split()
    at = words.index("=")
    asked, said = words[:at], words[at + 1 :]
    assert said.pop() == END
    problem: Chain | Sum
    if asked[0] == "sum":
        problem = Sum(tuple(int(word) for word in asked[1:]))
    else:
        problem = Chain(tuple(int(word) for word in asked[::2]), tuple(asked[1::2]))
    return mode, problem, " ".join(said)


def test_one_token_for_each_word_and_back():
    text = " ".join(WORDS)
    assert word_tokenizer().encode(text) == list(range(len(WORDS)))
    assert word_tokenizer().decode(range(len(WORDS))) == text


@pytest.mark.parametrize("make", [chain_rows, sum_rows])
def test_training_texts_are_right_and_none_is_tested(make):
    found = [problem_of(text) for text in texts(make(400, seed=1))]
    assert {split_of(problem.question) for _, problem, _ in found} == {"train"}
    for mode, problem, said in found:
        assert (wrong_step(said, problem) is None) if mode == "steps" else (said == problem.answer)
    direct = sum(mode == "direct" for mode, _, _ in found)
    assert 150 < direct < 250 if make is chain_rows else direct == 0


def test_sums_are_added_in_many_orders_and_seeds_differ():
    first = [problem_of(text) for text in texts(sum_rows(200, seed=1))]
    in_order = sum(said.split()[0] == str(problem.digits[0]) for _, problem, said in first)
    assert 20 < in_order < 100  # one in five, and digits that are the same
    assert texts(sum_rows(5, seed=1)) != texts(sum_rows(5, seed=2))
    assert texts(sum_rows(5, seed=1)) == texts(sum_rows(5, seed=1))


@pytest.mark.parametrize("kind", ["chains", "sums"])
def test_tested_problems_are_of_the_other_split_and_differ(kind):
    found = held_out(kind, 300)
    assert {split_of(problem.question) for problem in found} == {"test"}
    assert len({problem.question for problem in found}) == 300
    assert held_out(kind, 5, seed=1) != held_out(kind, 5, seed=2)


@pytest.fixture(scope="module")
def chains():
    return load("reasoning-chains-seed-0").model


def test_modes_are_obeyed(chains):
    problems = held_out("chains", 40)
    direct, steps = write(chains, problems, "direct"), write(chains, problems)
    assert all(len(text.split()) == 1 for text in direct)
    assert all(text.count(";") == 4 for text in steps)
    assert right(steps, problems) > 0.9
    assert all(answer_of(text) == text.split()[-1] for text in steps)


def test_cut_into_batches_it_writes_the_same(chains):
    problems = held_out("chains", 7)
    assert write(chains, problems, batch_size=3) == write(chains, problems)


def test_samples_differ_and_repeat_with_the_seed(chains):
    problems = held_out("chains", 1) * 30

    def sampled(seed):
        generator = torch.Generator().manual_seed(seed)
        return write(chains, problems, "direct", strategy=Sampling(), generator=generator)

    assert len(set(sampled(0))) > 1
    assert sampled(0) == sampled(0) != sampled(1)


def test_right_compares_answers():
    problems = [Sum((3, 4, 2)), Sum((1, 1))]
    assert right(["4 + 3 = 7 ; 7 + 2 = 9 . 9", "1 + 1 = 2 . 3"], problems) == 0.5


@pytest.mark.parametrize("name", RUNS)
def test_the_recorded_models_are_small(name):
    model = load(name).model
    assert sum(parameter.numel() for parameter in model.parameters()) < 200_000
    assert model.config.vocab_size == len(WORDS)
