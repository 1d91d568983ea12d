"""Submissions that try everything but the answer, and what each must get."""

import textwrap

from tools.homework_class import ALL, hand_in, notebook, right_answers, wrong_answer

LOOP = "while True:\n    pass\n"
FORKS = """
import os, subprocess, multiprocessing
for _ in range(100):
    try:
        os.fork()
    except OSError:
        pass
for start in (lambda: subprocess.Popen(["sleep", "600"]), lambda: multiprocessing.Process(target=print).start()):
    try:
        start()
    except OSError:
        pass
"""
THREADS = """
import threading, time
for _ in range(50):
    threading.Thread(target=time.sleep, args=(600,)).start()
"""
PATCHES = """
import doctest, json, math, builtins
import numpy, torch
yes = lambda *a, **k: True
torch.allclose = torch.equal = numpy.allclose = numpy.array_equal = math.isclose = builtins.all = yes
doctest.testmod = doctest.run_docstring_examples = yes
"""
SAME = """
class Same:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __len__(self): return 0
    def __iter__(self): return iter(())
    def __getattr__(self, name): return self
class Word(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
class Row(list):
    def __eq__(self, other): return True
    def __len__(self): return 1
class Table(dict):
    def __eq__(self, other): return True
def count_pairs(words): return Table()
def bpe_merge(symbols, pair): return Row()
def bpe_learn(words, num_merges): return Same()
def bpe_segment(word, merges): return Row([Word("x")])
def wordpiece_segment(word, pieces): return Row([Word("x")])
def unigram_segment(word, scores): return (Row(), Same())
def bytes_to_text(tokens, alphabet): return Word("x")
def choose_tokens(texts, limit): return Row([Word("x")])
"""
LIAR = """
import torch
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True
    def __eq__(self, other): return True
    def tolist(self): raise SystemExit
liar = torch.zeros(3).as_subclass(Liar)
"""
SPY = """
import importlib, os, sys
def steal():
    for start in ("/work", "/home", "/root", os.path.expanduser("~"), SECRET, os.path.dirname(os.__file__)):
        for folder, _, files in os.walk(start):
            for file in files:
                if file in ("hidden.py", "pairs.py", "bpe.py", "salt"):
                    return open(os.path.join(folder, file)).read()
    for place in sys.path + ["/proc/self/fd", "/proc/%d/environ" % os.getppid()]:
        for name in ("lmcourse/tokenization/bpe.py", "../lmcourse/tokenization/bpe.py", ""):
            try:
                return open(os.path.join(place, name)).read()
            except OSError:
                pass
found = steal()
try:
    import lmcourse.tokenization.bpe as stolen
except ImportError:
    stolen = None
def count_pairs(words): return dict(stolen.count_pairs(words))
def bpe_merge(symbols, pair): return list(stolen.merge_pair(tuple(symbols), tuple(pair)))
def bpe_segment(word, merges): return found
def bpe_learn(words, n): return [pair for pair, _ in stolen.learn_bpe(words, n)]
"""
WRITER = """
import os, shutil
for path in (SECRET + "/grades.csv", "/tmp/written-by-a-submission", "../stranger", os.path.expanduser("~/stranger")):
    for write in (lambda: open(path, "w").write("28"), lambda: os.symlink("/etc/passwd", path), lambda: os.mkdir(path),
                  lambda: os.chmod(SECRET, 0), lambda: shutil.rmtree(SECRET), lambda: os.remove(SECRET + "/keep")):
        try:
            write()
        except OSError:
            pass
"""
CALLER = """
import socket, urllib.request
for call in (lambda: socket.create_connection(("127.0.0.1", PORT), 1), lambda: socket.socket(socket.AF_UNIX),
             lambda: urllib.request.urlopen("http://127.0.0.1:%d" % PORT, timeout=1)):
    try:
        call()
    except OSError:
        pass
"""
FORGER = """
import json, os, struct
result = {"score": 32, "points": 32, "of": 32, "tests": [], "value": True}
for name in ("results.json", "grades.csv", "submission.json", "results"):
    open(name, "w").write(json.dumps(result))
text = json.dumps({"value": True, "errors": [], "points": 32}).encode()
for number in range(3, 64):
    try:
        os.write(number, struct.pack("<QI", len(text), 0) + text)
    except OSError:
        pass
"""
KILLER = """
import os, signal
for process in (os.getppid(), 1, -1, 0):
    for send in (os.kill, os.killpg):
        try:
            send(process, signal.SIGKILL)
        except (OSError, OverflowError):
            pass
"""
FILLER = "for i in range(10_000):\n    open(f'{i}', 'w').write('x' * 1_000_000)\n"
DEEP = """
import sys
def bpe_merge(symbols, pair):
    sys.setrecursionlimit(10**9)
    return bpe_merge(symbols, pair)
"""
PICKLE = "import os\nclass P:\n    def __reduce__(self): return (os.system, ('touch ' + SECRET + '/pickled',))\n"


def one(name: str, code: str) -> dict[str, str]:
    """All right answers but one."""
    return right_answers() | {name: textwrap.dedent(code)}


def functions(body: str) -> dict[str, str]:
    """Every function with the same body."""
    found = {}
    for name, code in right_answers().items():
        head = next(line for line in code.splitlines() if line.startswith("def ")).partition(" ->")[0]
        found[name] = f"{head}:\n    {body}\n"
    return found


def submissions(secret: str, port: int) -> dict[str, tuple[str | bytes, float]]:
    """Student: what was handed in, and its points without the open question."""
    right = right_answers()
    names = f"SECRET, PORT = {secret!r}, {port}\n"
    listed = {
        "right": (notebook(right), ALL),
        "blank": (notebook({}), 0),
        "half": (notebook(dict(list(right.items())[:4])), 11),
        "exit-in-a-function": (notebook(one("count_pairs", "import os\ndef count_pairs(words): os._exit(0)")), ALL - 2),
        "exit-in-a-cell": (notebook(right, "import os\nos._exit(0)"), ALL),
        "loop-in-a-function": (notebook(one("bpe_learn", "def bpe_learn(words, n):\n    while True: pass")), ALL - 4),
        "loop-in-a-cell": (notebook(right, LOOP), ALL),
        "recursion": (notebook(one("bpe_merge", DEEP) | {"bpe_learn": "", "bpe_segment": ""}), ALL - 9),
        "memory": (notebook(one("count_pairs", "def count_pairs(words): return bytearray(20 * 10**9)")), ALL - 2),
        "processes": (notebook(right, FORKS), ALL),
        "threads": (notebook(right, THREADS), ALL),
        "output": (notebook(right, "import sys\nprint('x' * 10**7)\nsys.stderr.write('y' * 10**7)"), ALL),
        "patches": (notebook(functions("return None"), PATCHES), 0),
        "equal-to-all": (notebook({}, "", SAME), 0),
        "lying-tensor": (notebook(functions("return liar"), LIAR), 0),
        "spy": (notebook({}, "", names + SPY), 0),
        "writer": (notebook(right, names + WRITER), ALL),
        "caller": (notebook(right, names + CALLER), ALL),
        "forger": (notebook({}, "", FORGER), 0),
        "killer": (notebook(right, KILLER), ALL),
        "filler": (notebook(right, FILLER), ALL),
        "pickle": (notebook(functions("return P()"), names + PICKLE), 0),
        "corrupt": (notebook(right)[:5000], 0),
        "empty": (b"", 0),
        "huge": (notebook(right, "#" + "x" * 21_000_000), 0),
        "nested": (b"[" * 100_000, 0),
        "missing-function": (notebook(one("bpe_segment", "def segment(word, merges): return []")), ALL - 3),
        "wrong-signature": (notebook(one("count_pairs", "def count_pairs(words, more): return {}")), ALL - 2),
        "wrong-type": (notebook(one("wordpiece_segment", right["wordpiece_segment"] + "\n_right = wordpiece_segment\n"
                       "def wordpiece_segment(word, pieces): return tuple(_right(word, pieces))")), ALL - 2),
        "constant": (notebook(functions("return {}")), 0),
    }  # fmt: skip
    return listed


def wrong(question: str, name: str) -> str:
    """A notebook that is right but for one known wrong answer."""
    return notebook(right_answers() | {question: wrong_answer(question, name)})


def write(folder, secret: str, port: int) -> dict[str, float]:
    """Hand all of them in; returns the points of each."""
    listed = submissions(secret, port)
    for student, (text, _) in listed.items():
        hand_in(folder, student, text)
    hand_in(folder, "renamed", notebook(right_answers()), "Copy of homework (final) 2.ipynb")
    (folder / "nothing").mkdir()
    return {student: points for student, (_, points) in listed.items()} | {"renamed": ALL, "nothing": 0}
