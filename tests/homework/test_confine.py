"""Each thing that a submission's process must not be able to do, tried alone in one."""

import os

import pytest

from lmcourse import cli_grade
from lmcourse.homework import confine, seccomp_filter
from lmcourse.homework.confine import Limits
from lmcourse.homework.isolation import Nursery, RemoteStudent
from lmcourse.homework.seccomp_filter import program

FORBIDDEN = {
    "fork": ("os.fork()", "PermissionError"),
    "program": ("os.execv('/bin/true', ['true'])", "PermissionError"),
    "socket": ("__import__('socket').socket()", "PermissionError"),
    "signal": ("os.kill(os.getppid(), 0)", "PermissionError"),
    "mode": ("os.chmod('.', 0o777)", "PermissionError"),
    "truncate": ("os.truncate('/dev/null', 0)", "PermissionError"),
    "priority": ("os.setpriority(os.PRIO_PROCESS, 0, 19)", "PermissionError"),
    "session": ("os.setsid()", "PermissionError"),
    "hidden checks": (f"open({os.path.abspath('homework/hw1_tokenization/hidden.py')!r})", "PermissionError"),
    "course": (f"os.listdir({os.path.abspath('lmcourse')!r})", "PermissionError"),
    "import": ("__import__('lmcourse.tokenization.bpe')", "ModuleNotFoundError"),
    "home": ("os.listdir('/root')", "PermissionError"),
    "processes": ("os.listdir('/proc')", "PermissionError"),
    "write outside": ("open('/tmp/stranger', 'w')", "PermissionError"),
    "folder": ("os.mkdir('inside')", "PermissionError"),
    "link": ("os.symlink('/etc/passwd', 'link')", "PermissionError"),
    "capability": ("os.close(os.open('z', os.O_CREAT | os.O_WRONLY, 0)) or open('z')", "PermissionError"),
    "large file": ("open('large', 'w').write('x' * 20_000_000)", "OSError"),
    "memory": ("bytearray(20 * 10**9)", "MemoryError"),
    "tensor": ("__import__('torch').zeros(20 * 10**9)", "RuntimeError"),
    "threads": ("[Thread(target=time.sleep, args=(9,)).start() for _ in range(9999)]", "RuntimeError"),
    "more memory": ("__import__('resource').setrlimit(__import__('resource').RLIMIT_AS, (-1, -1))", "ValueError"),
    "files": ("[os.open('/dev/null', 0) for _ in range(99)]", "OSError"),
    "exit": ("os._exit(0)", "gone"),
    "abort": ("os.abort()", "gone"),
    "system exit": ("sys.exit(0)", "SystemExit"),
    "loop": ("[0 for _ in iter(int, 1)]", "slow"),
    "sleep": ("time.sleep(600)", "slow"),
    "disk": ("[open(str(i), 'w').write('x' * 10**6) for i in range(200)] and time.sleep(600)", "stopped"),
    "large answer": ("list(range(10**6))", "value"),
    "large forged answer": ("os.write(CHANNEL, (10**7).to_bytes(8, 'little') + bytes(4)) and time.sleep(9)", "stopped"),
    "channel": ("os.write(CHANNEL, b'x' * 100) and time.sleep(9)", "stopped"),
}
ALLOWED = {
    "environment": (
        "sorted(os.environ)",
        ["LANG", "OMP_NUM_THREADS", "PATH", "PYTHONHASHSEED", "TORCHINDUCTOR_CACHE_DIR"],
    ),
    "empty folder": ("os.listdir('.')", []),
    "own file": ("open('a', 'w').write('abc') and open('a').read()", "abc"),
    "late import": ("__import__('decimal').Decimal(2).sqrt() > 1", True),
    "random": ("__import__('random').random()", 0.8444218515250481),
    "thread": ("__import__('threading').Thread(target=print).start()", None),
    "output": ("print('x' * 10**7)", None),
    "half precision": ("[float(__import__('torch').ones(n).half().sum()) for n in (1, 100)]", [1.0, 100.0]),
    "optimizer": ("trained()", [1.0, 1.0]),
    "meta device": ("made_on('meta')", [3, 4]),
}
FIND = """
import os, stat, sys, time
from threading import Thread
def _channel():
    for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                return number
        except OSError:
            pass
CHANNEL = _channel()
def trained():
    import torch
    weight = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.Adam([weight], lr=1.0)
    weight.sum().mul(-1).backward()
    optimizer.step()
    return [round(float(each), 3) for each in weight]
def made_on(device):
    import torch
    with torch.device(device):
        return list(torch.nn.Embedding(3, 4).weight.shape)
"""


@pytest.fixture(scope="module")
def nursery():
    with Nursery(Limits(patience=1.0)) as found:
        yield found


def attempt(nursery, expression):
    with nursery.child() as child:
        assert child.missing == []
        code = f"{FIND}\ndef try_it():\n    return {expression}\n"
        assert child.run(code, "cell 1", 5) == []
        return RemoteStudent(child, "try_it", 1.0)(), child.output


@pytest.mark.parametrize("what", list(FORBIDDEN))
def test_is_forbidden(nursery, what):
    expression, kind = FORBIDDEN[what]
    answer, _ = attempt(nursery, expression)
    assert answer.failure is not None, f"{what}: {answer.value}"
    assert answer.failure.kind == kind, answer.failure


@pytest.mark.parametrize("what", list(ALLOWED))
def test_is_allowed(nursery, what):
    expression, value = ALLOWED[what]
    answer, output = attempt(nursery, expression)
    assert answer.failure is None, answer.failure
    assert answer.value == value
    assert len(output) <= nursery.limits.output


def test_a_student_who_imports_the_course_is_told_why_not(nursery):
    answer, _ = attempt(nursery, "__import__('lmcourse.tokenization.bpe')")
    assert "is not there when homework is graded" in answer.failure.text


def test_what_lies_around_the_course_may_be_read_and_the_course_not(tmp_path):
    for name in ("lib/python/site-packages/lmcourse/homework", "lib/python/site-packages/torch", "lib/other", "share"):
        (tmp_path / name).mkdir(parents=True)
    course = tmp_path / "lib/python/site-packages/lmcourse"
    found = {str(path.relative_to(tmp_path)) for path in confine._without(tmp_path, course)}
    assert found == {"lib/python/site-packages/torch", "lib/other", "share"}
    assert list(confine._without(course, course)) == []
    assert list(confine._without(tmp_path / "share", course)) == [tmp_path / "share"]


def test_the_one_behind_is_not_harmed(nursery):
    """A child that ends badly leaves nothing to the next one: not a file, not a changed module."""
    attempt(nursery, "setattr(__import__('math'), 'sqrt', print) or open('left', 'w').write('x')")
    answer, _ = attempt(nursery, "(__import__('math').sqrt(4.0), os.listdir('.'))")
    assert answer.value == (2.0, [])


def test_the_starter_of_processes_knows_no_answers(nursery):
    code = "sorted(name for name in sys.modules if 'checks' in name and 'lmcourse' in name or 'tokenization' in name)"
    assert attempt(nursery, code)[0].value == []


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_jumps_within_itself(machine):
    instructions = program(machine, 1234)
    assert len(instructions) < 4096
    for place, (code, yes, no, _) in enumerate(instructions):
        if code & 7 == 5:  # a jump
            assert place + 1 + max(yes, no) < len(instructions)


def verdict(machine, process, number, first):
    """Run the filter as the kernel would."""
    data = {0: number, 4: {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine], 16: first}
    instructions, at, value = program(machine, process), 0, 0
    while True:
        code, yes, no, k = instructions[at]
        at += 1
        if code == 0x20:
            value = data[k]
        elif code == 0x06:
            return k
        else:
            holds = {0x15: value == k, 0x35: value >= k, 0x45: bool(value & k)}[code]
            at += yes if holds else no


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        ("x86_64", {"clone": 56, "tgkill": 234, "prlimit": 302, "read": 0, "fork": 57, "clone3": 435}),
        ("aarch64", {"clone": 220, "tgkill": 131, "prlimit": 261, "read": 63, "fork": 281, "clone3": 435}),
    ],
)
def test_the_filter_tells_threads_from_processes_and_oneself_from_others(machine, numbers):
    allowed, refused, unknown = 0x7FFF0000, 0x00050001, 0x00050026
    for name, first, expected in (
        ("read", 0, allowed),
        ("fork", 0, refused),
        ("clone3", 0, unknown),
        ("clone", 0x00010000, allowed),
        ("clone", 0x11, refused),
        ("tgkill", 77, allowed),
        ("tgkill", 78, refused),
        ("prlimit", 0, allowed),
        ("prlimit", 77, allowed),
        ("prlimit", 78, refused),
    ):
        assert verdict(machine, 77, numbers[name], first) == expected, (name, first)


def test_what_a_system_lacks_is_said(monkeypatch, capsys):
    monkeypatch.setattr(seccomp_filter.platform, "machine", lambda: "riscv64")
    missing: list[str] = []
    confine._attempt("network", lambda: seccomp_filter.forbid(None), missing)
    assert missing == ["network: no filter of system calls for linux on riscv64"]
    monkeypatch.setattr(confine.sys, "platform", "darwin")
    confine._attempt("files", lambda: confine._landlock(None, None), missing)
    assert missing[1:] == ["files: no Landlock on darwin"]
    cli_grade._not_limited([{"not_limited": missing}, {"not_limited": missing}])
    assert capsys.readouterr().err.splitlines() == [f"NOT LIMITED on this system: {what}" for what in sorted(missing)]
