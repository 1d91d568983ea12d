"""The shape of the package: who may import whom, how large a module may be, and that importing does nothing else."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "lmcourse").rglob("*.py"))

# What each part may import beside itself; None is anything. A part that is not here must be added with a decision.
ALLOWED: dict[str, set[str] | None] = {
    "lmcourse": set(),
    "lmcourse.assets": set(),
    "lmcourse.tokenization": set(),
    "lmcourse.data": {"lmcourse.assets", "lmcourse.tokenization"},
    "lmcourse.embeddings": set(),
    "lmcourse.models": set(),
    "lmcourse.models.pretrained": {"lmcourse.assets", "lmcourse.models", "lmcourse.tokenization"},
    "lmcourse.objectives": set(),
    "lmcourse.training": {"lmcourse.objectives.base"},
    "lmcourse.recorded": {
        "lmcourse.data",
        "lmcourse.decoding",
        "lmcourse.finetuning",
        "lmcourse.models",
        "lmcourse.objectives.rows",
        "lmcourse.peft",
        "lmcourse.tokenization",
        "lmcourse.training",
    },
    "lmcourse.finetuning": {"lmcourse.models", "lmcourse.objectives.base", "lmcourse.objectives.rows"},
    "lmcourse.peft": {"lmcourse.models", "lmcourse.training.checkpoint"},
    "lmcourse.decoding": {"lmcourse.models"},
    "lmcourse.prompting": {"lmcourse.tokenization", "lmcourse.decoding", "lmcourse.models"},
    "lmcourse.retrieval": {"lmcourse.prompting"},
    "lmcourse.viz": set(),
    "lmcourse.lab": set(),
    "lmcourse.claims": {"lmcourse.lab"},
    "lmcourse.widgets": None,
    "lmcourse.homework": None,
    "lmcourse.cli": None,
    "lmcourse.cli_generate": None,
    "lmcourse.cli_grade": None,
    "lmcourse.__main__": {"lmcourse.cli"},
}
MOST_LINES = 260
MOST_NAMES = 8


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def inside(module: str, part: str) -> bool:
    return module == part or module.startswith(part + ".")


def part_of(module: str) -> str:
    """The longest name of the table that the module belongs to."""
    parts = [part for part in ALLOWED if inside(module, part) and (part != "lmcourse" or module == part)]
    assert parts, f"{module} belongs to no part: say in this file's table what it may import"
    return max(parts, key=len)


def imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Every module of lmcourse that is imported, also inside functions; `package` resolves relative imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if inside(alias.name, "lmcourse"))
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            if inside(source, "lmcourse"):
                yield from (f"{source}.{alias.name}" for alias in node.names)


def forbidden(module: str, tree: ast.Module, package: str) -> list[str]:
    part = part_of(module)
    allowed = ALLOWED[part]
    if allowed is None:
        return []
    return [name for name in imports(tree, package) if not any(inside(name, good) for good in {part, *allowed})]


def public_names(tree: ast.Module) -> list[str]:
    """The functions and classes that a module offers; constants and type aliases are read beside them, not learned."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return [node.name for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def undocumented(tree: ast.Module) -> list[str]:
    public = set(public_names(tree))
    return [node.name for node in tree.body if getattr(node, "name", None) in public and not ast.get_docstring(node)]


def seeds(tree: ast.Module) -> list[str]:
    calls = (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = {"seed", "manual_seed", "manual_seed_all", "set_seed"}
    own = ("torch.Generator(",)  # a generator of one's own is not global
    return [call for call in calls if call.rsplit(".", 1)[-1] in names and not call.startswith(own)]


@pytest.fixture(params=MODULES, ids=name_of)
def module(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_imports_only_what_its_part_may(module: Path) -> None:
    name = name_of(module)
    package = name if module.name == "__init__.py" else name.rpartition(".")[0]
    assert forbidden(name, ast.parse(module.read_text()), package) == []


def test_is_small_and_documented(module: Path) -> None:
    source = module.read_text()
    tree = ast.parse(source)
    assert len(source.splitlines()) <= MOST_LINES
    assert len(public_names(tree)) <= MOST_NAMES
    assert ast.get_docstring(tree)
    assert undocumented(tree) == []


def test_seeds_nothing_global(module: Path) -> None:
    assert seeds(ast.parse(module.read_text())) == []


def test_every_folder_is_a_package() -> None:
    assert [path for path in MODULES if not (path.parent / "__init__.py").exists()] == []


def test_the_top_re_exports_nothing() -> None:
    body = ast.parse((ROOT / "lmcourse" / "__init__.py").read_text()).body
    assert [type(node) for node in body] == [ast.Expr]


QUIET = """
import pickle, pkgutil, random, socket, subprocess, importlib
import matplotlib, numpy, torch

def refuse(*arguments, **options):
    raise RuntimeError("at import: network or process")

socket.socket.connect = socket.getaddrinfo = subprocess.Popen.__init__ = refuse
torch_state = lambda: (torch.get_rng_state().numpy(), torch.get_num_threads(), torch.get_default_dtype())
state = lambda: pickle.dumps((random.getstate(), numpy.random.get_state(), torch_state(), dict(matplotlib.rcParams)))
before = state()
for path in EXTRA + [__import__("lmcourse").__path__[0]]:
    prefix = "" if path in EXTRA else "lmcourse."
    for module in pkgutil.walk_packages([path], prefix):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
if state() != before:
    print("a global state changed at import")
"""


def output_of_importing_all(extra: list[str]) -> str:
    """Import every module in a fresh Python that has no network; return what it printed."""
    code = f"import sys\nEXTRA = {extra!r}\nsys.path[:0] = EXTRA\n{QUIET}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_importing_prints_downloads_and_seeds_nothing() -> None:
    assert output_of_importing_all([]) == ""


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("print('loaded')", "loaded"),
        ("import random; random.seed(0)", "a global state changed"),
        ("import torch; torch.manual_seed(1)", "a global state changed"),
        ("import matplotlib; matplotlib.rcParams['axes.grid'] = True", "a global state changed"),
        ("import urllib.request; urllib.request.urlopen('http://localhost')", "at import"),
        ("import subprocess; subprocess.run(['true'])", "at import"),
    ],
)
def test_the_import_check_sees(statement: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "noisy_module.py").write_text(statement)
    assert complaint in output_of_importing_all([str(tmp_path)])


@pytest.mark.parametrize(
    ("module", "statement", "expected"),
    [
        ("lmcourse.viz.style", "import lmcourse.data.reviews", ["lmcourse.data.reviews"]),
        ("lmcourse.viz.style", "from lmcourse import assets", ["lmcourse.assets"]),
        ("lmcourse.viz.style", "def f():\n  from lmcourse.data import reviews", ["lmcourse.data.reviews"]),
        ("lmcourse.viz.style", "from ..data import reviews", ["lmcourse.data.reviews"]),
        ("lmcourse.viz.style", "from .. import claims", ["lmcourse.claims"]),
        ("lmcourse.viz.style", "from . import trees\nfrom .trees import draw\nimport numpy", []),
        ("lmcourse.data.windows", "from lmcourse.tokenization.base import Tokenizer\nfrom lmcourse import assets", []),
        ("lmcourse.tokenization.bpe", "from lmcourse.data.reviews import texts", ["lmcourse.data.reviews.texts"]),
        ("lmcourse.data.reviews", "import lmcourse.cli", ["lmcourse.cli"]),
        (
            "lmcourse.training.loop",
            "from lmcourse.objectives.causal_lm import loss",
            ["lmcourse.objectives.causal_lm.loss"],
        ),
        ("lmcourse.training.loop", "from lmcourse.objectives.base import Objective", []),
        ("lmcourse.models.gpt", "from lmcourse import assets", ["lmcourse.assets"]),
        ("lmcourse.models.pretrained", "from lmcourse import assets\nfrom lmcourse.models import gpt", []),
        ("lmcourse.widgets.any", "from lmcourse import data, cli", []),
    ],
)
def test_the_import_rule_sees(module: str, statement: str, expected: list[str]) -> None:
    assert forbidden(module, ast.parse(statement), module.rpartition(".")[0]) == expected


def test_a_part_without_a_decision_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"lmcourse\.novelty belongs to no part"):
        part_of("lmcourse.novelty")


def test_the_other_checks_see() -> None:
    tree = ast.parse("A = 1\n_c = 3\ndef f(): 'doc'\nclass G: pass\ndef _h(): pass\nasync def i(): 'doc'")
    assert public_names(tree) == ["f", "G", "i"]
    assert undocumented(tree) == ["G"]
    found = seeds(ast.parse("torch.manual_seed(0)\nnp.random.seed(1)\nx.seeded(2)\ntorch.Generator().manual_seed(3)"))
    assert found == ["torch.manual_seed", "np.random.seed"]
