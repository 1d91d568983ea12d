"""The template of a tokenizer, [CLS] and [SEP] for instance, in the JSON format: the "post_processor" of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lmcourse.tokenization.added_tokens import Template

_Json = dict[str, Any]


def dump_template(template: Template, vocab: Mapping[str, int]) -> _Json | None:
    """Return a template as JSON, None if it is empty; ValueError for a token that is not in the vocabulary."""
    before, after = template
    if not any(template):
        return None
    missing = [token for token in (*before, *after) if token not in vocab]
    if missing:
        raise ValueError(f"tokens of the template are not in the vocabulary: {missing}")

    def side(tokens: Sequence[str], type_id: int) -> list[_Json]:
        return [{"SpecialToken": {"id": token, "type_id": type_id}} for token in tokens]

    first, second = ({"Sequence": {"id": name, "type_id": i}} for i, name in enumerate("AB"))
    ids = {token: vocab[token] for token in (*before, *after)}
    return {
        "type": "TemplateProcessing",
        "single": [*side(before, 0), first, *side(after, 0)],
        "pair": [*side(before, 0), first, *side(after, 0), second, *side(after, 1)],
        "special_tokens": {token: {"id": token, "ids": [i], "tokens": [token]} for token, i in ids.items()},
    }


def parse_template(data: _Json | None) -> Template:
    """Return the template of a post-processor; ValueError for one that is not supported."""
    if data is None or data["type"] == "ByteLevel":
        return Template()
    if data["type"] in ("BertProcessing", "RobertaProcessing"):
        return Template((data["cls"][0],), (data["sep"][0],))
    if data["type"] == "Sequence":
        framed = [t for each in data["processors"] if any(t := parse_template(each))]
        if len(framed) > 1:
            raise ValueError(f"more than one template is not supported: {framed!r}")
        return framed[0] if framed else Template()
    if data["type"] != "TemplateProcessing":
        raise ValueError(f"post-processor {data['type']!r} is not supported")
    single = data["single"]
    at = next(i for i, part in enumerate(single) if "Sequence" in part)
    names = [part["SpecialToken"]["id"] if "SpecialToken" in part else None for part in single]
    return Template(tuple(n for n in names[:at] if n), tuple(n for n in names[at + 1 :] if n))
