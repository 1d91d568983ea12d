"""The command `python -m lmcourse generate PROMPT`: a real model continues a text, token by token.

Chapter: decoding.
"""

from __future__ import annotations

import argparse
import sys

from lmcourse import assets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The prompt, the model, and how the next token is chosen."""
    parser.add_argument("prompt", help="the text to continue")
    parser.add_argument("--model", default="smollm2", help="smollm2, a folder, or OWNER/NAME on the hub (%(default)s)")
    parser.add_argument("--max-new-tokens", type=int, default=40, metavar="N", help="at most so many (%(default)s)")
    parser.add_argument("--temperature", type=float, help="sample with this temperature; greedy without any filter")
    parser.add_argument("--top-k", type=int, metavar="K", help="sample from the K most probable tokens")
    parser.add_argument("--nucleus", type=float, metavar="P", help="sample from the nucleus of mass P (top-p)")
    parser.add_argument("--min-p", type=float, metavar="P", help="sample from tokens of at least P times the best")
    parser.add_argument("--seed", type=int, default=0, help="of the sampling (%(default)s)")


def run(options: argparse.Namespace) -> int:
    """Print the prompt and its continuation as it comes; the exit status: 0 good, 1 asset missing, 2 wrong usage."""
    try:
        _generate(options)
    except assets.MissingAssetError as error:
        print(f"python -m lmcourse generate: {error}", file=sys.stderr)
        return 1
    except (ValueError, FileNotFoundError, ImportError) as error:
        print(f"python -m lmcourse generate: {error}", file=sys.stderr)
        return 2
    return 0


def _generate(options: argparse.Namespace) -> None:
    import torch

    from lmcourse.decoding import Greedy, MinP, Nucleus, Sampling, Temperature, TopK, generate
    from lmcourse.models.pretrained import load, load_tokenizer

    kinds = ((Temperature, "temperature"), (TopK, "top_k"), (Nucleus, "nucleus"), (MinP, "min_p"))
    given = [(kind, getattr(options, name)) for kind, name in kinds]
    filters = [kind(value) for kind, value in given if value is not None]
    model, tokenizer = load(options.model), load_tokenizer(options.model)
    ids = tokenizer.encode(options.prompt)
    written, shown = list(ids), len(tokenizer.decode(ids))

    def show(tokens: torch.Tensor) -> None:
        nonlocal shown
        written.append(int(tokens[0]))
        text = tokenizer.decode(written)
        if not text.endswith("\ufffd"):  # half of a character waits for the other half
            print(text[shown:], end="", flush=True)
            shown = len(text)

    print(options.prompt, end="", flush=True)
    generate(
        model,  # type: ignore[arg-type]
        torch.tensor([ids], dtype=torch.long),
        strategy=Sampling(filters) if filters else Greedy(),
        max_new_tokens=options.max_new_tokens,
        on_token=show,
        generator=torch.Generator().manual_seed(options.seed),
    )
    print()
