"""Jobs that train tokenizers. Each leaves its tokenizer in the scratch folder for the jobs that encode."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.job import TEXTS, Outcome, digest, first, sample


def gather(scratch: Path, megabytes: float | None) -> Outcome:
    """Write the review texts, all or the first few, to the scratch folder."""
    from lmcourse.data import reviews

    texts, outcome = first(reviews.texts("all"), megabytes)
    (scratch / TEXTS).write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
    return outcome


def bpe(scratch: Path, vocab_size: int) -> Outcome:
    """Byte-level BPE, ours. Digest: the merges."""
    from lmcourse.tokenization.bpe import train

    texts, outcome = sample(scratch, None)
    with outcome.lap():
        tokenizer = train(texts, vocab_size)
    tokenizer.save(scratch / "bpe.json")
    outcome.digest = _merges(scratch / "bpe.json")
    return outcome


def bpe_tokenizers(scratch: Path, vocab_size: int) -> Outcome:
    """Byte-level BPE by `tokenizers`. Digest: the merges."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    texts, outcome = sample(scratch, None)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=1,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    with outcome.lap():
        tokenizer.train_from_iterator(texts, trainer, length=len(texts))
    tokenizer.save(str(scratch / "bpe-tokenizers.json"))
    outcome.digest = _merges(scratch / "bpe-tokenizers.json")
    return outcome


def merges(scratch: Path, megabytes: float, num_merges: int, textbook: bool) -> Outcome:
    """The merges of counted pieces, by the loop of the chapter or by the fast learner. Digest: merges and counts."""
    from lmcourse.tokenization.bpe import learn_bpe
    from lmcourse.tokenization.bpe_training import learn_merges
    from lmcourse.tokenization.byte_level import ALPHABET
    from lmcourse.tokenization.corpus import count_pieces
    from lmcourse.tokenization.pipeline import Pipeline
    from lmcourse.tokenization.pre_tokenizers import ByteLevel

    texts, outcome = sample(scratch, megabytes)
    words = count_pieces(texts, Pipeline(pre_tokenizers=(ByteLevel(),)))
    with outcome.lap():
        if textbook:
            found = learn_bpe(words, num_merges)
        else:
            _, found = learn_merges(words, ALPHABET, len(ALPHABET) + num_merges, ties="first")
    outcome.digest = digest(found)
    return outcome


def wordpiece(scratch: Path, megabytes: float, vocab_size: int) -> Outcome:
    """WordPiece, ours."""
    from lmcourse.tokenization.wordpiece import train

    texts, outcome = sample(scratch, megabytes)
    with outcome.lap():
        tokenizer = train(texts, vocab_size)
    tokenizer.save(scratch / "wordpiece.json")
    return outcome


def wordpiece_tokenizers(scratch: Path, megabytes: float, vocab_size: int) -> Outcome:
    """WordPiece by `tokenizers`, whose trainer is that of BPE."""
    from tokenizers import BertWordPieceTokenizer

    texts, outcome = sample(scratch, megabytes)
    tokenizer = BertWordPieceTokenizer()
    with outcome.lap():
        tokenizer.train_from_iterator(texts, vocab_size, show_progress=False, length=len(texts))
    return outcome


def unigram(scratch: Path, megabytes: float, vocab_size: int) -> Outcome:
    """Unigram, ours."""
    from lmcourse.tokenization.unigram import train

    texts, outcome = sample(scratch, megabytes)
    with outcome.lap():
        train(texts, vocab_size)
    return outcome


def unigram_sentencepiece(scratch: Path, megabytes: float, vocab_size: int, threads: int) -> Outcome:
    """Unigram by SentencePiece; its model is left for both sides to encode with."""
    import sentencepiece

    from lmcourse.tokenization.base import Tokenizer
    from lmcourse.tokenization.pre_tokenizers import Metaspace
    from lmcourse.tokenization.unigram import Unigram

    texts, outcome = sample(scratch, megabytes)
    with outcome.lap():
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_prefix=str(scratch / "unigram"),
            vocab_size=vocab_size,
            character_coverage=1.0,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            max_sentence_length=10**7,
            num_threads=threads,
            minloglevel=2,
        )
    model = sentencepiece.SentencePieceProcessor(model_file=str(scratch / "unigram.model"))
    scores = tuple((model.id_to_piece(i), model.get_score(i)) for i in range(model.get_piece_size()))
    Tokenizer(Unigram(scores, model.unk_id()), (), (Metaspace(),)).save(scratch / "unigram.json")
    return outcome


def _merges(path: Path) -> str:
    return digest(list(pair) for pair in json.loads(path.read_text(encoding="utf-8"))["model"]["merges"])
