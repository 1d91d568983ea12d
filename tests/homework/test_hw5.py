"""The right answers of hw5 that are written out are those of `lmcourse.decoding`."""

import random

import pytest
import torch

from lmcourse.decoding import Beam, MinP, Nucleus, TopK, generate
from lmcourse.decoding.base import filtered
from lmcourse.decoding.drafts import Proposal
from lmcourse.decoding.speculative import check
from lmcourse.homework import catalog
from lmcourse.homework.checks.hw5_decoding_and_prompting.drafts import COST, tokens_per_call
from lmcourse.models.gpt import gpt, gpt_config

SIZE, END = 5, 4


def tokens_per_call_by_trying(table, text):
    """The longest key first, each tried."""
    at, cost = 0, 0.0
    while at < len(text):
        ends = (tuple(text[at - n : at]) for n in range(at, 0, -1))
        proposal = next((table[end] for end in ends if end in table), [])
        good = 0
        while good < len(proposal) and at + good < len(text) and proposal[good] == text[at + good]:
            good += 1
        at += good + 1
        cost += 1 + COST * len(proposal)
    return len(text) / cost


@pytest.mark.parametrize("seed", range(20))
def test_a_table_proposes_what_follows_the_longest_key(seed):
    drawn = random.Random(seed)
    text = drawn.choices("abc", k=60)
    keys = {tuple(drawn.choices("abc", k=drawn.choice((1, 2, 3, 50)))) for _ in range(12)}
    table = {key: drawn.choices("abc", k=drawn.randrange(4)) for key in sorted(keys)}
    assert tokens_per_call(table, text) == tokens_per_call_by_trying(table, text)


def right(name):
    return catalog.find(name).right


@pytest.fixture(scope="module")
def model():
    """A decoder of five tokens in double precision, with weights large enough to matter."""
    made = gpt(gpt_config(vocab_size=SIZE, d_model=8, n_layers=2, n_heads=2, max_length=24)).double().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "norm" not in name:
                parameter.normal_(0, 1.6 if "attention" in name else 0.5, generator=generator)
    return made


@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("prompt", [[0], [1, 2], [3, 3, 0]])
def test_beam_search(model, width, prompt):
    """Without a length penalty, with which `Beam` may stop before the last step."""

    def next_logprobs(prefix):
        with torch.no_grad():
            return model(torch.tensor([[*prompt, *prefix]]))[0, -1].log_softmax(-1).tolist()

    ids, rank = right("beam_search")(next_logprobs, width, 4, END, 0.0)
    found = generate(model, torch.tensor([prompt]), strategy=Beam(width, length_penalty=0.0), max_new_tokens=4, end=END)
    assert found.ids[0, : found.lengths[0]].tolist() == ids
    assert float(found.scores[0]) == pytest.approx(rank)


def test_cut_tail():
    """On probabilities of which no sum and no quotient lies at a border, where rounding would decide."""
    drawn = random.Random(0)
    for _ in range(200):
        probs = torch.rand(8, generator=torch.Generator().manual_seed(drawn.getrandbits(30)), dtype=torch.float64)
        probs, k, p, m = probs / probs.sum(), drawn.randint(1, 8), drawn.uniform(0.2, 1), drawn.uniform(0.01, 0.5)
        kept = filtered((TopK(k), Nucleus(p), MinP(m)), probs.log(), torch.empty(0, dtype=torch.long)).softmax(-1)
        assert torch.allclose(right("cut_tail")(probs, k, p, m), kept, atol=1e-12)


def test_speculative_tokens():
    """`check` takes its random numbers from a generator: one for each token it looks at, one for the token it draws."""
    drawn = random.Random(0)
    sizes = set()
    for seed in range(200):
        target, draft, proposed, _ = catalog.find("speculative_tokens").draw(drawn)
        proposal = Proposal(torch.tensor(proposed), draft, None)
        found = check(
            target.log(), proposal, torch.zeros(1, 1, dtype=torch.long), generator=torch.Generator().manual_seed(seed)
        ).tolist()
        generator = torch.Generator().manual_seed(seed)
        numbers = [float(1 - torch.rand([], generator=generator, dtype=torch.float64)) for _ in range(len(found) + 1)]
        looked_at = len(found) - 1 if len(found) > len(proposed) else len(found)
        uniforms = numbers[:looked_at] + [1.0] * (len(proposed) - looked_at) + [numbers[looked_at]]
        assert right("speculative_tokens")(target, draft, proposed, uniforms) == found
        sizes.add(len(found))
    assert sizes == {1, 2, 3, 4}
