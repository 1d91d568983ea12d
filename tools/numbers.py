"""Measured numbers that someone typed into prose: `python -m tools.numbers` lists them.

A number beside a unit or in a sentence with "accuracy" or "loss" comes from a lab by glue, from a source cited in the
same sentence, or is excused with its reason by `<!-- number: reason -->` in the same paragraph.
"""

import re
from collections.abc import Iterator

import nbformat

from tools.project import BOOK, labs

NUMBER = r"(?<![\w.,#])[~≈]?\d[\d,.\u2009 ]*(?:\s*(?:to|–|-|and|±)\s*\d[\d,.]*)?"
UNIT = (
    r"%|per ?cent\b|percent\w*|times\b|×(?!\s*\d)|x (?:faster|slower|longer|shorter|smaller|larger|fewer|more)\b|"
    r"(?:[nmµ]?s|min|h|[kKMGT]?i?B)\b|(?:micro|milli)?seconds?\b|minutes?\b|hours?\b|days?\b|(?:mega|giga|kilo)?bytes\b|"
    r"(?:[kMBGT]|thousand|million|billion)\b|tokens?\b|words?\b|characters?\b|"
    r"parameters?\b|points?\b|FLOPs?\b"
)
MEASURED = re.compile(rf"({NUMBER})[\s-]*(?:more |fewer |unseen |different )?(?:{UNIT})")
WORD = re.compile(r"\b(?:accurac(?:y|ies)|loss(?:es)?|perplexit(?:y|ies)|F1|recall|speed-?up)\b", re.IGNORECASE)
ANY_NUMBER = re.compile(r"(?<![\w.,#−-])\d+(?:[.,]\d+)*(?![\w-])")
YEAR = re.compile(r"(?:1[89]|20)\d\d")
LABELLED = re.compile(
    r"\b(?:figure|table|section|chapter|equation|step|layer|part|version|python|F)[\s~]*\d[\d.]*", re.IGNORECASE
)
EXCUSED = re.compile(r"<!--\s*number:\s*(?!-->)\S.*?-->", re.DOTALL)
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^a-z])|\s*\|\s*\n|\n(?=\s*(?:[-+*]|\d+[.)]) )")
ITEM = re.compile(r"^\s*(?:[-+*]|\d+[.)]) ")
FENCE = re.compile(r"^\s*(`{3,}|~{3,}|:{3,})\s*(\{[\w:-]+\})?(.*)$")
#: Directives whose body is prose; every other fenced block is code, mathematics or data.
PROSE = re.compile(
    r"note|tip|warning|important|admonition|hint|seealso|danger|caution|attention|error|dropdown|card|card-body|"
    r"grid|grid-item|grid-item-card|tab-item|tab-set|margin|sidebar|epigraph|exercise|solution|figure|table|list-table|"
    r"prf:\w+|glossary|quiz|details|div"
)


def typed_numbers(markdown: str) -> list[tuple[int, str]]:
    """The sentences with a typed measured number and the lines (from 1) where their paragraphs begin."""
    return [
        (line, " ".join(sentence.split()))
        for line, paragraph in _paragraphs(markdown)
        if not EXCUSED.search(paragraph)
        for sentence in SENTENCE.split(_plain(paragraph))
        if _is_measured(sentence)
    ]


def pages() -> Iterator[tuple[str, str]]:
    """All prose of the course: name of the page or `lab, cell`, and its Markdown."""
    for path in sorted(BOOK.glob("*.md")):
        yield path.name, path.read_text(encoding="utf-8")
    for path in labs():
        for position, cell in enumerate(nbformat.read(path, as_version=4).cells):
            if cell.cell_type == "markdown":
                yield f"{path.name}, cell {position}", cell.source


def found(sources: list[tuple[str, str]]) -> list[str]:
    """One line for each typed number in the named pages: `page:line: sentence`."""
    return [f"{name}:{line}: {sentence}" for name, text in sources for line, sentence in typed_numbers(text)]


def _is_measured(sentence: str) -> bool:
    if "CITED" in sentence:
        return False
    sentence = LABELLED.sub("", ITEM.sub("", sentence))
    if MEASURED.search(sentence):
        return True
    numbers = [number for number in ANY_NUMBER.findall(sentence) if not YEAR.fullmatch(number)]
    return bool(numbers) and WORD.search(sentence) is not None


def _paragraphs(markdown: str) -> Iterator[tuple[int, str]]:
    """Blocks of prose with their first lines; code, mathematics, front matter and directive options are left out."""
    fences: list[tuple[str, bool]] = []
    lines: list[str] = []
    start, mathematics = 1, False
    for number, line in enumerate([*markdown.splitlines(), ""], 1):
        fence = FENCE.match(line)
        hidden = bool(fences) and not all(prose for _, prose in fences)
        if fence and fences and line.strip().startswith(fences[-1][0]) and not line.strip().strip("`~:"):
            fences.pop()
            line = ""
        elif fence and not hidden:
            directive = (fence[2] or "{}")[1:-1]
            fences.append((fence[1], PROSE.fullmatch(directive) is not None))
            line = fence[3] if fences[-1][1] and directive != "figure" else ""
        elif hidden:
            line = ""
        elif line.strip().startswith("$$"):
            mathematics ^= line.strip().count("$$") % 2 == 1
            line = ""
        if mathematics or re.match(r"\s*:[\w-]+:", line) or line.startswith("%"):
            line = ""
        if line.strip():
            start = start if lines else number
            lines.append(line)
        elif lines:
            yield start, "\n".join(lines)
            lines = []


def _plain(paragraph: str) -> str:
    """The paragraph without what holds no typed number: glue, code, mathematics, addresses, comments."""
    text = re.sub(r"<!--.*?-->", "", paragraph, flags=re.DOTALL)
    text = re.sub(r"\{cite[\w:]*\}`[^`]*`", "CITED", text)
    text = re.sub(r"\{glue[\w:]*\}`[^`]*`|\{(?:math|eq|numref|ref|doc)\}`[^`]*`", "", text)
    text = re.sub(r"\{[\w:-]+\}`([^`]*)`", r"\1", text)
    text = re.sub(r"(`+)[^`].*?\1|\$[^$\n]+\$", "", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)|<https?:[^>]*>|https?://\S+|<[^>]+>", "]", text)
    return re.sub(r"[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}", "", text)


def main() -> None:
    lines = found(list(pages()))
    print("\n".join(lines) or "No typed measured numbers.")
    raise SystemExit(bool(lines))


if __name__ == "__main__":
    main()
