"""What differs between the stored and the fresh outputs of a cell: every mime type, every picture, all metadata."""

import base64
import io
import re
from typing import Any

import numpy as np
from nbformat import NotebookNode
from PIL import Image

INLINE_PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=\n]+)")
PICTURES = ("image/png", "image/jpeg")
#: Largest mean absolute difference, as a share of full scale, of two pictures drawn on different platforms.
TOLERANCE = 1 / 255


def differences(stored: list[NotebookNode], fresh: list[NotebookNode], exact_pixels: bool) -> list[str]:
    """What differs, one line each, none if nothing does.

    Text, data and metadata must be equal; pictures must have equal pixels with `exact_pixels`, otherwise equal size
    and a mean absolute difference below `TOLERANCE`. The prompt numbers of results are not compared.
    """
    if len(stored) != len(fresh):
        return [f"{len(stored)} outputs are stored, {len(fresh)} came out"]
    return [
        f"output {position}: {line}"
        for position, (old, new) in enumerate(zip(stored, fresh, strict=True))
        for line in _output(old, new, exact_pixels)
    ]


def other_kinds(stored: list[NotebookNode], fresh: list[NotebookNode]) -> list[str]:
    """Where the kinds of outputs and their mime types differ: of runs on two processors no more can be compared."""
    old, new = ([(one.output_type, sorted(one.get("data", {}))) for one in outputs] for outputs in (stored, fresh))
    return [] if old == new else [f"{old} became {new}"]


def picture_difference(stored: bytes, fresh: bytes, exact_pixels: bool) -> str | None:
    """How two encoded pictures differ, or None if they do not."""
    old, new = (np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), dtype=float) for data in (stored, fresh))
    if old.shape != new.shape:
        return f"picture of {old.shape[1]} x {old.shape[0]} pixels became {new.shape[1]} x {new.shape[0]}"
    mean = float(np.abs(old - new).mean()) / 255
    if exact_pixels and mean > 0:
        return f"pixels differ (mean {mean:.2g} of full scale) on the platform that drew them"
    return f"pixels differ by {mean:.2g} of full scale" if mean >= TOLERANCE else None


def _output(stored: NotebookNode, fresh: NotebookNode, exact_pixels: bool) -> list[str]:
    lines = []
    for key in sorted((set(stored) | set(fresh)) - {"data", "execution_count"}):
        if stored.get(key) != fresh.get(key):
            lines.append(f"{key}: {_short(stored.get(key))} became {_short(fresh.get(key))}")
    old, new = stored.get("data", {}), fresh.get("data", {})
    for mime in sorted(set(old) | set(new)):
        if mime not in old or mime not in new:
            lines.append(f"{mime} is {'new' if mime not in old else 'gone'}")
        else:
            lines += [f"{mime}: {line}" for line in _data(mime, old[mime], new[mime], exact_pixels)]
    return lines


def _data(mime: str, stored: Any, fresh: Any, exact_pixels: bool) -> list[str]:
    if mime in PICTURES:
        return _pictures([stored], [fresh], exact_pixels)
    pictures: list[list[str]] = [[], []]
    if isinstance(stored, str) and isinstance(fresh, str):
        pictures = [INLINE_PICTURE.findall(text) for text in (stored, fresh)]
        stored, fresh = (INLINE_PICTURE.sub("PICTURE", text) for text in (stored, fresh))
    if stored != fresh:
        return [f"{_short(stored)} became {_short(fresh)}"]
    return _pictures(*pictures, exact_pixels)


def _pictures(stored: list[str], fresh: list[str], exact_pixels: bool) -> list[str]:
    pairs = zip(stored, fresh, strict=True)
    found = (picture_difference(base64.b64decode(a), base64.b64decode(b), exact_pixels) for a, b in pairs)
    return [line for line in found if line]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}…"
