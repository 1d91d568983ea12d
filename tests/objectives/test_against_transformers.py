"""Losses and gradients equal those that the models of `transformers` compute from labels, in double precision."""

import pytest
import torch
import transformers

from lmcourse.models.checkpoints import from_state
from lmcourse.objectives import (
    CausalLM,
    GeneratorAndDiscriminator,
    MaskedLM,
    NextSentence,
    ReplacedToken,
    SentencePairModel,
    SpanCorruption,
    SpanMasking,
)
from lmcourse.objectives.replaced_token import detection_loss
from tests.objectives.samples import CLS, CONTINUING, END, HIDING, PAD, SENTINELS, SEP, VOCAB, generator, padded, text
from tools.parity_cases import StayDouble

BERT = {
    "vocab_size": VOCAB,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
    "pad_token_id": PAD,
}
GPT2 = {"vocab_size": VOCAB, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}
T5 = {"vocab_size": VOCAB, "d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2}


def reference(model):
    """Large random weights, so that attention is uneven."""
    chance = generator()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            centre = 1.0 if parameter.dim() == 1 and name.endswith("weight") else 0.0
            parameter.normal_(centre, 0.3, generator=chance)
    return model.double().eval()


def ours(model):
    return from_state(model.config.to_dict(), model.state_dict())


def rows():
    lengths = (20, 7, 13)
    return padded([[CLS, *text(length, seed=length).tolist(), SEP] for length in lengths])


def attention(batch, name="attend"):
    return batch[name].long()


def equal(found, expected, mine, theirs, names):
    """The losses, and the gradients of parameters by our name and theirs."""
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=0)
    found.backward()
    expected.backward()
    for name, other in names.items():
        gradients = mine.get_parameter(name).grad, theirs.get_parameter(other).grad
        assert gradients[1].abs().max() > 0
        torch.testing.assert_close(*gradients, rtol=1e-8, atol=1e-11)


def test_causal():
    theirs = reference(transformers.GPT2LMHeadModel(transformers.GPT2Config(**GPT2, bos_token_id=0, eos_token_id=0)))
    ids, real = rows()
    mine, batch = ours(theirs), CausalLM().prepare(ids, attend=real)
    with StayDouble():
        expected = theirs(ids, attention_mask=real.long(), labels=ids.masked_fill(~real, -100)).loss
    table = {"body.embedding.tokens.weight": "transformer.wte.weight", "body.norm.weight": "transformer.ln_f.weight"}
    equal(CausalLM().loss(mine, batch), expected, mine, theirs, table)


@pytest.mark.parametrize(
    "objective",
    [MaskedLM(**HIDING), MaskedLM(**HIDING, continuing=CONTINUING), SpanMasking(**HIDING)],
    ids=["tokens", "words", "spans"],
)
def test_masked(objective):
    theirs = reference(transformers.BertForMaskedLM(transformers.BertConfig(**BERT)))
    ids, real = rows()
    batch = objective.prepare(ids, attend=real, generator=generator(1))
    mine = ours(theirs)
    with StayDouble():
        expected = theirs(batch["ids"], attention_mask=attention(batch), labels=batch["labels"]).loss
    table = {
        "body.embedding.tokens.weight": "bert.embeddings.word_embeddings.weight",
        "head.bias": "cls.predictions.bias",
    }
    equal(objective.loss(mine, batch), expected, mine, theirs, table)


def test_next_sentence():
    theirs = reference(transformers.BertForPreTraining(transformers.BertConfig(**BERT)))
    mine = SentencePairModel(ours(theirs), 16).double()
    mine.dense.load_state_dict(theirs.bert.pooler.dense.state_dict())
    mine.output.load_state_dict(theirs.cls.seq_relationship.state_dict())
    objective = NextSentence(MaskedLM(**HIDING), CLS, SEP, PAD)
    lengths = ((5, 9), (12, 3), (4, 4), (8, 7), (2, 6), (3, 10), (7, 2), (6, 5))
    pairs = [(text(n, seed=n).tolist(), text(m, seed=m).tolist()) for n, m in lengths]
    ids, real = objective.pack(pairs)
    batch = objective.prepare(ids, attend=real, generator=generator(1))
    assert set(batch["random_next"].tolist()) == {0, 1}
    with StayDouble():
        expected = theirs(
            batch["ids"],
            attention_mask=attention(batch),
            token_type_ids=batch["segments"],
            labels=batch["labels"],
            next_sentence_label=batch["random_next"],
        ).loss
    table = {
        "output.weight": "cls.seq_relationship.weight",
        "dense.weight": "bert.pooler.dense.weight",
        "model.body.embedding.segments.weight": "bert.embeddings.token_type_embeddings.weight",
    }
    equal(objective.loss(mine, batch), expected, mine, theirs, table)


def test_replaced_token():
    """Both reference models on the tokens that our generator filled in; the sum with ELECTRA's weight of 50.

    The reference's detection loss is in single precision even in a double-precision model.
    """
    config = {**BERT, "embedding_size": 12}
    generators = reference(transformers.ElectraForMaskedLM(transformers.ElectraConfig(**config)))
    judges = reference(transformers.ElectraForPreTraining(transformers.ElectraConfig(**config)))
    mine = GeneratorAndDiscriminator(ours(generators), ours(judges), share=False)
    ids, real = rows()
    objective = ReplacedToken(**HIDING, probability=0.4)
    batch = objective.prepare(ids, attend=real, generator=generator(1))
    chosen = batch["labels"] != -100
    draws = torch.rand(ids.shape, generator=generator(2), dtype=torch.float64)
    filled = mine(batch["ids"], chosen=chosen, draws=draws.float(), attend=real).ids
    replaced = filled != ids
    assert 0 < int(replaced.sum()) <= int(chosen.sum())
    with StayDouble():
        masked = generators(batch["ids"], attention_mask=real.long(), labels=batch["labels"]).loss
        detected = judges(filled, attention_mask=real.long(), labels=replaced.long()).loss
    single = {"rtol": 1e-6, "atol": 0.0, "check_dtype": False}
    torch.testing.assert_close(
        detection_loss(mine.discriminator(filled, attend=real), replaced, real), detected, **single
    )
    found = objective.loss(mine, batch, generator=generator(2))
    head = "discriminator_predictions.dense_prediction.weight"
    torch.testing.assert_close(found, masked + 50 * detected, **single)
    found.backward()
    (50 * detected).backward()
    gradients = mine.get_parameter("discriminator.head.output.weight").grad, judges.get_parameter(head).grad
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-6)


def test_span_corruption():
    theirs = reference(transformers.T5ForConditionalGeneration(transformers.T5Config(**T5, decoder_start_token_id=PAD)))
    mine, objective = ours(theirs), SpanCorruption(SENTINELS, PAD, END, PAD, special=(CLS, SEP))
    ids, real = rows()
    batch = objective.prepare(ids, attend=real, generator=generator(1))
    assert torch.equal(batch["ids"], theirs._shift_right(batch["labels"]))
    attend = attention(batch, "source_attend")
    with StayDouble():
        expected = theirs(batch["source"], attention_mask=attend, labels=batch["labels"]).loss
    table = {"encoder.embedding.tokens.weight": "shared.weight", "body.norm.weight": "decoder.final_layer_norm.weight"}
    equal(objective.loss(mine, batch), expected, mine, theirs, table)
