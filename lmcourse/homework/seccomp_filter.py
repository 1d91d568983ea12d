"""The system calls that a submission may not make, as a filter of the Linux kernel (seccomp).

Processes, programs, sockets, signals to others, other processes' memory, modes and owners of files, kernel interfaces.
Threads are allowed: they end with their process.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys

# name: numbers on x86_64 and aarch64 (None: the call does not exist there)
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "kill": (62, 129),
    "tkill": (200, 130),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "ptrace": (101, 117),
    "pidfd_open": (434, 434),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "truncate": (76, 45),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, None),
    "utimes": (235, None),
    "utimensat": (280, 88),
    "futimesat": (261, None),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "sched_setaffinity": (203, 122),
    "setpriority": (141, 140),
    "sched_setscheduler": (144, 119),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "open_by_handle_at": (304, 265),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "personality": (135, 92),
    "settimeofday": (170, 170),
    "clock_settime": (227, 112),
    "sethostname": (170, 161),
}
_CLONE, _CLONE3, _TGKILL, _PRLIMIT = (56, 220), (435, 435), (234, 131), (302, 261)
_THREAD = 0x00010000
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16  # places in the kernel's struct seccomp_data


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def forbid(libc: ctypes.CDLL) -> None:
    """Forbid the calls in this process from now on; OSError where the system has no such filter."""
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES:
        raise OSError(f"no filter of system calls for {sys.platform} on {platform.machine()}")
    instructions = program(platform.machine(), os.getpid())
    array = (_Instruction * len(instructions))(*(_Instruction(*each) for each in instructions))
    if libc.prctl(22, 2, ctypes.byref(_Program(len(instructions), array)), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def program(machine: str, process: int) -> list[tuple[int, int, int, int]]:
    """The filter for a machine and the process that it is for: (code, jump if true, jump if false, value) each."""
    column, architecture = _ARCHITECTURES[machine]
    refuse = (_RETURN, 0, 0, _ERROR | errno.EPERM)
    found = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    if machine == "x86_64":  # the x32 calls have numbers of their own
        found += [(_AT_LEAST, 0, 1, 0x40000000), refuse]
    for numbers in _CALLS.values():
        number = numbers[column]
        if number is not None:
            found += [(_EQUAL, 0, 1, number), refuse]
    found += [(_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]  # glibc then takes clone
    found += [(_EQUAL, 0, 3, _CLONE[column]), (_LOAD, 0, 0, _FIRST), (_BITS, 1, 0, _THREAD), refuse]
    found += [(_LOAD, 0, 0, _NUMBER), (_EQUAL, 0, 3, _TGKILL[column]), (_LOAD, 0, 0, _FIRST)]
    found += [(_EQUAL, 1, 0, process), refuse]
    found += [(_LOAD, 0, 0, _NUMBER), (_EQUAL, 0, 4, _PRLIMIT[column]), (_LOAD, 0, 0, _FIRST)]
    found += [(_EQUAL, 2, 0, 0), (_EQUAL, 1, 0, process), refuse]
    return [*found, (_RETURN, 0, 0, _ALLOW)]
