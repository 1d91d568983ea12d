"""Messages over a socket between a submission and its grader: a header in JSON and raw blobs, with limits.

A message is `{"do": …}` with the JSON of a value and its blobs; see `lmcourse.homework.values`.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from lmcourse.homework.values import NotPlain, text_of

LARGEST, LARGEST_TEXT = 64_000_000, 4_000_000
"""Bytes of one message, and of its JSON, which takes time to read."""
MOST_BLOBS = 10_000
_HEAD = struct.Struct("<QI")
_SIZE = struct.Struct("<Q")


class Closed(Exception):
    """The other side is gone."""


class TooSlow(Exception):
    """The other side did not answer in time."""


Patience = Callable[[float], bool]
"""Whether to go on waiting, given the seconds waited so far."""


def forever(_seconds: float) -> bool:
    """Wait without an end."""
    return True


class Message(NamedTuple):
    """A header of plain JSON and blobs."""

    header: dict[str, Any]
    blobs: list[bytes]


class Channel:
    """One end of a socket. Patience is asked each time that the socket's own timeout has passed."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end

    def send(self, header: dict[str, Any], blobs: list[bytes] | None = None, patient: Patience = forever) -> None:
        """Send a message. Raises NotPlain if it is too large, Closed, TooSlow."""
        blobs, text = blobs or [], text_of(header)
        if len(text) > LARGEST_TEXT or len(text) + sum(map(len, blobs)) > LARGEST or len(blobs) > MOST_BLOBS:
            raise NotPlain("too large to be sent")
        head = _HEAD.pack(len(text), len(blobs)) + b"".join(_SIZE.pack(len(blob)) for blob in blobs)
        view = memoryview(b"".join([head, text, *blobs]))
        start = time.monotonic()
        while view:
            try:
                view = view[self.end.send(view) :]
            except TimeoutError:
                if not patient(time.monotonic() - start):
                    raise TooSlow from None
            except OSError:
                raise Closed from None

    def receive(self, patient: Patience = forever) -> Message:
        """Wait for a message. Raises NotPlain for bytes that are none, Closed, TooSlow."""
        start = time.monotonic()
        size, count = _HEAD.unpack(self._read(_HEAD.size, start, patient))
        if size > LARGEST_TEXT or count > MOST_BLOBS:
            raise NotPlain("a message that is too large")
        sizes = [_SIZE.unpack(self._read(_SIZE.size, start, patient))[0] for _ in range(count)]
        if size + sum(sizes) > LARGEST:
            raise NotPlain("a message that is too large")
        text = self._read(size, start, patient)
        blobs = [self._read(each, start, patient) for each in sizes]
        try:
            header = json.loads(text)
        except (ValueError, RecursionError):
            raise NotPlain("a message that is not JSON") from None
        if not isinstance(header, dict):
            raise NotPlain("a message without a header")
        return Message(header, blobs)

    def close(self) -> None:
        """Close this end."""
        self.end.close()

    def _read(self, size: int, start: float, patient: Patience) -> bytes:
        parts, missing = [], size
        while missing:
            try:
                part = self.end.recv(min(missing, 1 << 20))
            except TimeoutError:
                if not patient(time.monotonic() - start):
                    raise TooSlow from None
                continue
            except OSError:
                raise Closed from None
            if not part:
                raise Closed
            parts.append(part)
            missing -= len(part)
            if not patient(time.monotonic() - start):
                raise TooSlow
        return b"".join(parts)
