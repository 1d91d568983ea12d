"""What a submission's process may not do, by what the system gives without root, and what of that is missing here.

Memory, processor time, file size and open files by `setrlimit`; files by Landlock (Linux 5.13); network, processes,
signals to others, and the rest by a list of system calls in `seccomp_filter`. `confine` is called in the forked child
and cannot be undone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lmcourse.homework.seccomp_filter import forbid

_PR_SET_NO_NEW_PRIVS, _PR_SET_PDEATHSIG, _SIGKILL = 38, 1, 9
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ = 1 << 0 | 1 << 2 | 1 << 3  # execute (to map libraries), read file, read folder
_WRITES = sum(1 << bit for bit in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14))
_FOLDER = _READ | 1 << 1 | 1 << 5 | 1 << 8 | 1 << 14  # plain files: write, remove, make, shorten; no folders, no links
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
COURSE = Path(__file__).resolve().parents[1]
"""The package, with the answers and the checks."""
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/sys/devices/system/cpu")


@dataclass(frozen=True)
class Limits:
    """Bytes of memory beside what the process holds, of a file, and of output; seconds of processor time.

    `seconds` is for everything that one submission does, `load` for its cells; each question has its own. `patience`
    multiplies the last two.
    """

    memory: int = 2_000_000_000
    file: int = 16_000_000
    output: int = 10_000
    seconds: int = 300
    load: float = 20.0
    patience: float = 1.0


def confine(folder: Path, limits: Limits) -> list[str]:
    """Confine this process to a folder, for good; returns what this system cannot limit."""
    libc = ctypes.CDLL(None, use_errno=True)
    missing: list[str] = []
    _limit_resources(limits)
    for what, step in (
        ("privileges", lambda: _no_privileges(libc)),
        ("files outside of the empty folder", lambda: _landlock(libc, folder)),
        ("network, processes and signals", lambda: forbid(libc)),
    ):
        _attempt(what, step, missing)
    return missing


def _attempt(what: str, step: Callable[[], None], missing: list[str]) -> None:
    try:
        step()
    except (OSError, AttributeError) as error:
        missing.append(f"{what}: {error}")


def _limit_resources(limits: Limits) -> None:
    held = 0
    with contextlib.suppress(OSError):
        held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for name, value in (
        ("RLIMIT_AS", held + limits.memory),
        ("RLIMIT_CPU", limits.seconds),
        ("RLIMIT_FSIZE", limits.file),
        ("RLIMIT_NOFILE", 64),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_MEMLOCK", 0),
        ("RLIMIT_MSGQUEUE", 0),
    ):
        with contextlib.suppress(AttributeError, ValueError, OSError):  # not every system knows each of them
            resource.setrlimit(getattr(resource, name), (value, value))


def _no_privileges(libc: ctypes.CDLL) -> None:
    """Die with the parent, gain nothing by an exec, and hold no capability, as root neither."""
    if sys.platform != "linux":
        raise OSError(f"not known on {sys.platform}")
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _checked(libc.capset(header, (ctypes.c_uint32 * 6)()))


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def _landlock(libc: ctypes.CDLL, folder: Path) -> None:
    if sys.platform != "linux":
        raise OSError(f"no Landlock on {sys.platform}")
    version = _checked(libc.syscall(_CREATE_RULESET, None, 0, 1))
    known = (1 << {1: 13, 2: 14}.get(version, 15)) - 1
    network = 3 if version >= 4 else 0
    rules = _Ruleset((_READ | _WRITES) & known, network, 3 if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _checked(libc.syscall(_CREATE_RULESET, ctypes.byref(rules), size, 0))
    for path, allowed in _allowed(folder):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            mode = allowed if os.path.isdir(path) else allowed & (1 << 0 | 1 << 1 | 1 << 2 | 1 << 14)
            beneath = _Beneath(mode & known, descriptor)
            _checked(libc.syscall(_ADD_RULE, ruleset, 1, ctypes.byref(beneath), 0))
            os.close(descriptor)
    _checked(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _allowed(folder: Path) -> Iterator[tuple[str, int]]:
    """What may be read (and the folder written): Python and its packages, except the course, which has the answers."""
    yield str(folder), _FOLDER
    for device in _DEVICES:
        yield device, _READ | 1 << 1
    libraries = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    for path in {*_SYSTEM, *libraries, *site.getsitepackages()}:
        for entry in _without(Path(path).resolve(), COURSE):
            yield str(entry), _READ


def _without(path: Path, hidden: Path) -> Iterator[Path]:
    """A path, or where something hidden lies below it, all that is beside the way there."""
    if hidden == path or not path.exists():
        return
    if path not in hidden.parents:
        yield path
        return
    for entry in path.iterdir():
        if not entry.is_symlink():
            yield from _without(entry, hidden)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
