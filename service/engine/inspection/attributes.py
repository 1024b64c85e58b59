"""What the attributes of a node say: the functions they call, and all their texts and tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def called(attributes: Mapping[str, Any]) -> Iterator[str]:
    """The names of the functions that attributes call, also those within a call's own attributes."""
    for value in attributes.values():
        for function in [value.func, *value.list.func]:
            if function.name:
                yield function.name
                yield from called(function.attr)


def texts(attributes: Mapping[str, Any]) -> Iterator[bytes]:
    """All texts in attributes: some name functions."""
    for value in attributes.values():
        yield from (text for text in [value.s, *value.list.s] if text)
        for function in [value.func, *value.list.func]:
            yield from texts(function.attr)


def tensors(attributes: Mapping[str, Any]) -> Iterator[Any]:
    """All tensors in attributes."""
    for value in attributes.values():
        yield from ([value.tensor] if value.HasField("tensor") else [])
        yield from value.list.tensor
        for function in [value.func, *value.list.func]:
            yield from tensors(function.attr)
