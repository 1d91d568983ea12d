"""Templates: a text with named fields, and nothing else that could go wrong.

    Template("Review: {text}\nSentiment:").render(text="a fine film")   →   "Review: a fine film\nSentiment:"

Chapter: prompting.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from string import Formatter


@dataclass(frozen=True)
class Template:
    """A text with fields in braces; a brace of the text itself is written twice. Values are put in as they are: braces
    in them mean nothing.

    ValueError for a text without a field, a field without a plain name, or braces that do not match.
    """

    text: str

    def __post_init__(self) -> None:
        if not self.fields:
            raise ValueError(f"a template needs a field in braces: {self.text!r}")

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields in order of appearance, each once."""
        return tuple(dict.fromkeys(name for _, name in self._parts if name is not None))

    def render(self, /, **values: str) -> str:
        """The text with all fields filled; ValueError names fields that are missing or unknown."""
        missing = [name for name in self.fields if name not in values]
        unknown = [name for name in values if name not in self.fields]
        if missing or unknown:
            raise ValueError(f"the template has the fields {self.fields}; missing: {missing}, unknown: {unknown}")
        return "".join(before + ("" if name is None else values[name]) for before, name in self._parts)

    def before(self, field: str, /, **values: str) -> str:
        """The text up to the first appearance of a field, what comes before it filled: where a model goes on."""
        if field not in self.fields:
            raise ValueError(f"the template has the fields {self.fields}, not {field!r}")
        found = []
        for before, name in self._parts:
            found.append(before)
            if name == field:
                break
            if name is not None and name not in values:
                raise ValueError(f"the field {name!r} comes before {field!r} and is missing")
            found.append("" if name is None else values[name])
        return "".join(found)

    @cached_property
    def _parts(self) -> tuple[tuple[str, str | None], ...]:
        """Each piece of text with the field behind it."""
        try:
            parsed = list(Formatter().parse(self.text))
        except ValueError as error:
            raise ValueError(f"{error} in the template {self.text!r}") from None
        for _, name, spec, conversion in parsed:
            if name is not None and (not name.isidentifier() or spec or conversion):
                written = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
                raise ValueError(f"a field is a plain name, not {{{written}}}, in the template {self.text!r}")
        return tuple((before, name) for before, name, _, _ in parsed)
