"""The course's two real models compute what the libraries compute that they come from."""

from dataclasses import replace

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from lmcourse import assets
from lmcourse.models.checkpoints import NoHead
from lmcourse.models.gguf_file import read_gguf
from lmcourse.models.pretrained import load, load_tokenizer, sentence_embeddings
from lmcourse.models.weight_cache import cached
from lmcourse.tokenization.added_tokens import NO_TEMPLATE

FRANCE = "The capital of France is"


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def smollm2():
    return load("smollm2")


@pytest.fixture(scope="module")
def minilm():
    return load("minilm")


@pytest.fixture(scope="module")
def llama():
    """SmolLM2 in `transformers`, on the same tensors."""
    config, tensors = cached(assets.path("smollm2"), read_gguf)
    settings = hf.LlamaConfig(**{key: value for key, value in config.items() if key != "model_type"})
    with torch.device("meta"):
        model = hf.LlamaForCausalLM(settings)
    tensors = {**tensors, "lm_head.weight": tensors["model.embed_tokens.weight"]}
    model.load_state_dict(tensors, assign=True)
    model.model.rotary_emb = LlamaRotaryEmbedding(settings)
    return model.eval()


def padded(tokenizer, texts, length):
    """The first tokens of each text, padded on the right with token 0, and which are real."""
    rows = [torch.tensor(tokenizer.encode(text)[:length]) for text in texts]
    attend = torch.arange(max(map(len, rows))) < torch.tensor([[len(row)] for row in rows])
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), attend


@torch.no_grad()
def test_smollm2_is_the_llama_of_transformers(smollm2, llama, reviews_test):
    ids, attend = padded(load_tokenizer("smollm2"), [FRANCE, reviews_test[0], reviews_test[1]], 48)
    expected = llama(ids, attention_mask=attend.long()).logits[attend]
    found = smollm2(ids, attend=attend)[attend]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-3)
    assert found.std() > 1


@torch.no_grad()
def test_smollm2_knows_the_capital_of_france(smollm2):
    tokenizer = load_tokenizer("smollm2")
    ids = tokenizer.encode(FRANCE)
    for _ in range(2):
        ids.append(int(smollm2(torch.tensor([ids]))[0, -1].argmax()))
    assert tokenizer.decode(ids) == FRANCE + " Paris."


@torch.no_grad()
def test_smollm2_has_its_rows_in_order(reviews_test):
    """Put into llama.cpp's order, or as if they were in it, queries and keys still name Paris but read far worse.

    The comparison with `transformers` shares the order of rows, so it cannot tell.
    """
    long = [text for text in reviews_test[:30] if len(text) > 1000]
    ids, _ = padded(load_tokenizer("smollm2"), long[:2], 96)

    def loss(shape):
        model = load("smollm2")
        for block in model.body.blocks:
            for layer, heads in ((block.attention.query, 9), (block.attention.key, 3)):
                layer.weight.data = layer.weight.unflatten(0, (heads, *shape)).transpose(1, 2).flatten(0, 2)
        return torch.nn.functional.cross_entropy(model(ids)[:, :-1].flatten(0, 1), ids[:, 1:].flatten())

    as_it_is, into, out_of = loss((1, 64)), loss((2, 32)), loss((32, 2))
    assert as_it_is + 1 < into
    assert as_it_is + 1 < out_of


def test_smollm2_parameters(smollm2, tmp_path):
    parameters = dict(smollm2.named_parameters())
    assert sum(p.numel() for p in parameters.values()) == 134_515_008
    assert not smollm2.training
    assert all(p.is_contiguous() and p.requires_grad and p.dtype == torch.float32 for p in parameters.values())
    assert smollm2.config.max_length == 8192
    layer = {name: p for name, p in parameters.items() if ".29." in name}
    save_file(layer, tmp_path / "layer.safetensors")
    assert all(torch.equal(x, layer[name]) for name, x in load_file(tmp_path / "layer.safetensors").items())


@torch.no_grad()
def test_smollm2_in_half_precision():
    tokenizer, model = load_tokenizer("smollm2"), load("smollm2", dtype=torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    ids = torch.tensor([tokenizer.encode(FRANCE)])
    assert tokenizer.decode([int(model(ids)[0, -1].argmax())]) == " Paris"


@torch.no_grad()
def test_minilm_is_the_bert_of_transformers(minilm, reviews_test):
    reference = hf.BertModel.from_pretrained(assets.path("minilm")).eval()
    ids, attend = padded(load_tokenizer("minilm"), ["A film.", *reviews_test[:4]], 128)
    segments = (torch.arange(ids.shape[1]) > 3).long().expand_as(ids)
    expected = reference(ids, attention_mask=attend.long(), token_type_ids=segments).last_hidden_state[attend]
    found = minilm.body(ids, attend=attend, segments=segments).states[attend]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert isinstance(minilm.head, NoHead)


@pytest.fixture(scope="module")
def sentences(reviews_test):
    """Sentences and whole reviews, some of them beyond 256 tokens, and the empty text."""
    return [review.split(". ")[0] for review in reviews_test[:40]] + reviews_test[:12] + ["", "x", "A film."]


def test_sentence_embeddings_are_those_of_sentence_transformers(minilm, sentences):
    reference = SentenceTransformer(str(assets.path("minilm")), device="cpu", local_files_only=True)
    assert reference.max_seq_length == 256
    tokenizer = load_tokenizer("minilm")
    assert sum(len(tokenizer.encode(text)) > 256 for text in sentences) >= 3
    expected = torch.from_numpy(reference.encode(sentences, show_progress_bar=False))
    found = sentence_embeddings(minilm, tokenizer, sentences)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(len(sentences)))
    assert not found.requires_grad


def test_sentence_embeddings_do_not_depend_on_the_batch(minilm, sentences):
    tokenizer = load_tokenizer("minilm")
    expected = sentence_embeddings(minilm, tokenizer, sentences[-8:])
    one_by_one = sentence_embeddings(minilm.body, tokenizer, sentences[-8:], batch_size=1)
    torch.testing.assert_close(one_by_one, expected, rtol=0, atol=1e-5)
    alone = torch.cat([sentence_embeddings(minilm, tokenizer, [text]) for text in sentences[-8:]])
    torch.testing.assert_close(alone, expected, rtol=0, atol=1e-5)
    assert sentence_embeddings(minilm, tokenizer, []).shape == (0, 384)


def test_sentence_embeddings_cut_long_texts(minilm):
    """To the first tokens and the closing [SEP]."""
    tokenizer = load_tokenizer("minilm")
    found = sentence_embeddings(minilm, tokenizer, ["a film about a dog"], max_length=5)
    assert torch.equal(found, sentence_embeddings(minilm, tokenizer, ["a film about"]))


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"batch_size": -2}, {"max_length": 1}])
def test_sentence_embeddings_of_nothing(minilm, options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"{name} {value}"):
        sentence_embeddings(minilm, load_tokenizer("minilm"), ["a film"], **options)
    with pytest.raises(ValueError, match="'a film'"):
        sentence_embeddings(minilm, load_tokenizer("minilm"), "a film")


def test_sentence_embeddings_of_no_tokens(minilm):
    bare = replace(load_tokenizer("minilm"), template=NO_TEMPLATE)
    assert sentence_embeddings(minilm, bare, ["a", "film"]).shape == (2, 384)
    for texts in (["", "film"], [""]):
        with pytest.raises(ValueError, match=r"real token|at least one token"):
            sentence_embeddings(minilm, bare, texts)
