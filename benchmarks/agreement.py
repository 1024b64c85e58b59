"""Whether two contestants computed the same numbers: nothing is timed before that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

TOLERANCE = 2e-3  # of the largest number of an array: float32 sums over up to 2**20 amplitudes, in any order

Digest = Mapping[str, Any]  # {"shape": [...], "values": [...]} as a worker sends it


def disagreement(ours: Sequence[Digest], theirs: Sequence[Digest]) -> str | None:
    """What differs between the outputs of two contestants; None if nothing does.

    Args:
        ours: the arrays of the first.
        theirs: the arrays of the second. An axis of size one more or less is no difference.
    """
    if len(ours) != len(theirs):
        return f"{len(theirs)} arrays where we have {len(ours)}"
    found = (_difference(*pair) for pair in zip(ours, theirs, strict=True))
    return next((text for text in found if text), None)


def _difference(ours: Digest, theirs: Digest) -> str | None:
    if _squeezed(ours["shape"]) != _squeezed(theirs["shape"]):
        return f"an array of shape {theirs['shape']} where ours has {ours['shape']}"
    first, second = np.array(ours["values"]), np.array(theirs["values"])
    error, size = np.abs(first - second).max(initial=0), np.abs(first).max(initial=0)
    return None if error <= TOLERANCE * size else f"numbers up to {size:.3g} differ from ours by {error:.3g}"


def _squeezed(shape: Sequence[int]) -> list[int]:
    return [size for size in shape if size != 1]
