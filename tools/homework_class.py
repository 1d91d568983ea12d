"""A generated class for tests and benchmarks: notebooks made from the student's one, with known answers."""

import json
import random
import re
import runpy
from pathlib import Path

from lmcourse.homework import bank
from tools.homework import HOMEWORK

NAME = "hw1_tokenization"
POINTS = {"count_pairs": 2, "bpe_merge": 2, "bpe_learn": 4, "bpe_segment": 3, "wordpiece_segment": 4,
          "unigram_segment": 6, "bytes_to_text": 3, "choose_tokens": 4}  # fmt: skip
ALL = sum(POINTS.values())


def right_answers() -> dict[str, str]:
    """The code of the master's answers by question."""
    cells = json.loads((HOMEWORK / NAME / "master.ipynb").read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    found = {match[1]: source for source in sources if "BEGIN SOLUTION" in source
             and (match := re.search(r"^def (\w+)", source, re.MULTILINE))}  # fmt: skip
    assert set(found) == set(POINTS)
    return found


def wrong_answer(question: str, name: str) -> str:
    """A whole bank as code, ending in one of its answers under the name of the question."""
    file = HOMEWORK / NAME / "bank" / f"{question}.py"
    assert name in runpy.run_path(str(file))
    code = file.read_text("utf-8").replace("from lmcourse.homework.bank import right, wrong", "")
    code = re.sub(r"^@(right|wrong\(.*\))\n", "", code, flags=re.MULTILINE)
    return f"{code}\n\n{question} = {name}\n"


def notebook(answers: dict[str, str], before: str = "", after: str = "") -> str:
    """The student's notebook with answers filled in, a cell before them and one after."""
    document = json.loads((HOMEWORK / NAME / f"{NAME}.ipynb").read_text("utf-8"))
    for cell in document["cells"]:
        name = cell["metadata"]["nbgrader"]["grade_id"]
        if name in answers:
            cell["source"] = answers[name]
    extra = [{"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
             for source in (before, after)]  # fmt: skip
    cells = document["cells"]
    document["cells"] = [*cells[:3], extra[0], *cells[3:], extra[1]]
    return json.dumps(document)


def drawn(number: int, share: float = 0.7) -> str:
    """The notebook of a student who has this share of the answers right and makes known mistakes in the others."""
    chance = random.Random(number)
    answers = {}
    for question, code in right_answers().items():
        wrong = [e.name for e in bank.read(HOMEWORK / NAME / "bank" / f"{question}.py") if not e.right]
        answers[question] = code if chance.random() < share else wrong_answer(question, chance.choice(wrong))
    return notebook(answers)


def hand_in(folder: Path, student: str, text: str | bytes, file: str = f"{NAME}.ipynb") -> None:
    """Put a submission where the grader looks for it."""
    place = folder / student
    place.mkdir(parents=True, exist_ok=True)
    (place / file).write_bytes(text if isinstance(text, bytes) else text.encode())
