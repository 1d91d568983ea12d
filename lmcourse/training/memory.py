"""Memory that a step frees is kept for the next one.

On Linux the C library hands every large block back to the system when it is freed, and the system fills each new one
with zeros, page by page. A training step makes and frees the same large tensors over and over (logits, log-softmax,
gradients), so on a CPU it may spend more time there than in its products. Chapter: decoders. Source: mallopt(3).
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # of malloc.h
_LARGEST = 32 * 2**20  # bytes: the library takes no higher threshold


def keep_freed_memory(kept: int = 2**30) -> bool:
    """Ask the C library to keep up to `kept` bytes of freed memory, in this process and from now on.

    Blocks above 32 MB still go back. Gives whether it was done: only glibc knows how. The peak of the memory stays what
    it was. ValueError for a negative number of bytes.
    """
    if kept < 0:
        raise ValueError(f"kept must be at least 0 bytes, not {kept}")
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    options = {_MMAP_THRESHOLD: _LARGEST, _TRIM_THRESHOLD: min(kept, 2**31 - 1), _TOP_PAD: _LARGEST}
    return all(mallopt(option, value) == 1 for option, value in options.items())
