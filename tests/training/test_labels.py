"""Labels that people gave go with their rows, wherever the order of a run takes them."""

import pytest
import torch

from lmcourse.finetuning.tagging import Tagging
from lmcourse.models.modern import modern, modern_config
from lmcourse.training import Rows, TrainingConfig, train
from lmcourse.training.batches import chosen_rows, in_order, take
from lmcourse.training.monitor import Silent
from tests.finetuning.test_tagging import sequences, tagger


def test_labels_stay_with_their_rows():
    ids = torch.arange(40).view(10, 4)
    rows, settings = Rows(ids, labels=ids * 2), TrainingConfig(steps=9, batch_size=3)
    for step in range(9):
        seen = take(rows, chosen_rows(10, settings, step))
        assert torch.equal(seen.labels, seen.ids * 2)
    assert torch.equal(torch.cat([some.labels for some in in_order(rows, 3)]), ids * 2)


def test_another_labelling_is_another_run(tmp_path):
    rows, settings = sequences(16), TrainingConfig(steps=2, batch_size=4)
    train(tagger(), Tagging(3), rows, settings, folder=tmp_path, monitor=Silent())
    train(tagger(), Tagging(3), rows, settings, folder=tmp_path, monitor=Silent())
    other = rows._replace(labels=rows.labels.flip(0))
    with pytest.raises(ValueError, match="labels"):
        train(tagger(), Tagging(3), other, settings, folder=tmp_path, monitor=Silent())


def test_labels_for_an_objective_without_labels():
    from lmcourse.objectives import CausalLM

    model = modern(modern_config(12, d_model=8, n_layers=1, n_heads=1))
    with pytest.raises(TypeError, match="labels"):
        train(model, CausalLM(), sequences(8), TrainingConfig(steps=1, batch_size=4), monitor=Silent())
