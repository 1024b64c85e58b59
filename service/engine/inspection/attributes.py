"""What the attributes of a node say: the functions they call, and all their texts and tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def called(attributes: Mapping[str, Any]) -> Iterator[str]:
    """The names of the functions that attributes call, also those within a call's own attributes."""
    for value in attributes.values():
        for function in _held(value, "func"):
            if function.name:
                yield function.name
                yield from called(function.attr)


def texts(attributes: Mapping[str, Any]) -> Iterator[bytes]:
    """All texts in attributes: some name functions."""
    for value in attributes.values():
        yield from _held(value, "s")
        for function in _held(value, "func"):
            yield from texts(function.attr)


def tensors(attributes: Mapping[str, Any]) -> Iterator[Any]:
    """All tensors in attributes."""
    for value in attributes.values():
        yield from _held(value, "tensor")
        for function in _held(value, "func"):
            yield from tensors(function.attr)


def _held(value: Any, kind: str) -> Sequence[Any]:
    """What an attribute holds of a kind, by itself or in a list; asked first, since reading makes what is not there."""
    found = value.WhichOneof("value")
    if found == kind:
        return (getattr(value, kind),)
    return getattr(value.list, kind) if found == "list" else ()
