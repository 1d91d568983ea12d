"""What the package carries: every recorded run can be loaded, is small, and has its record beside it."""

import json

import pytest
import torch

from lmcourse.data import reviews
from lmcourse.recorded import runs, special
from lmcourse.recorded.adapted import Adapted, kept_bytes
from lmcourse.recorded.reasoning import word_tokenizer

FILES = sorted(path for path in runs.FOLDER.iterdir() if path.is_file())


def test_there_are_runs() -> None:
    assert "decoder" in runs.names()


def test_sizes() -> None:
    assert [path.name for path in FILES if path.stat().st_size > 16_000_000] == []
    assert sum(path.stat().st_size for path in FILES) <= 60_000_000


def test_models_and_records_come_in_pairs() -> None:
    records = {path.stem for path in FILES if path.suffix == ".json"} - {"tokenizer"}
    assert records == set(runs.names())


@pytest.mark.parametrize("name", runs.names())
def test_a_run(name: str) -> None:
    model, record = runs.load(name)
    assert record["name"] == name
    assert record["bytes"] == kept_bytes(model)
    assert not model.training
    assert record["curve"][-1]["step"] == record["config"]["steps"]
    assert record["figures"]
    assert record["processor_seconds"] > 0
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    if not isinstance(model, Adapted):
        own = word_tokenizer() if name.startswith("reasoning-") else runs.tokenizer()
        assert model.config.vocab_size == own.vocab_size


def test_an_unknown_name() -> None:
    with pytest.raises(ValueError, match=r"no recorded run 'nonsense'; there are .*decoder"):
        runs.load("nonsense")


def test_special_tokens_have_their_ids() -> None:
    ours = runs.tokenizer()
    assert [ours.token_to_id(token) for token in special.SPECIAL] == list(range(len(special.SPECIAL)))
    named = {name: getattr(special, name.strip("<>").upper()) for name in special.NAMED}
    assert {name: ours.token_to_id(name) for name in special.NAMED} == named
    assert [ours.token_to_id(f"<extra_id_{number}>") for number in range(32)] == list(special.SENTINELS)


def test_review_rows_hold_the_reviews() -> None:
    rows = runs.review_rows("test", 32)
    assert rows.ids.shape[1] == 32
    assert rows.attend is None
    text = runs.tokenizer().decode(rows.ids.flatten().tolist()[:4000], skip_special_tokens=False)
    first, second = text.split("<end>")[:2]
    assert [first, second] == reviews.texts("test")[:2]


def test_records_are_text_that_a_person_can_read() -> None:
    for path in FILES:
        if path.suffix == ".json" and path.stem != "tokenizer":
            content = path.read_text(encoding="utf-8")
            assert content == json.dumps(json.loads(content), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
