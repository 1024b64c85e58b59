"""The rules for a QNode's signature, and for the weight shapes that go with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from operator import index
from typing import Any

from qlayer.errors import SignatureError

_VARIABLE = {
    inspect.Parameter.VAR_POSITIONAL: "a variable number of positional arguments (*{})",
    inspect.Parameter.VAR_KEYWORD: "a variable number of keyword arguments (**{})",
}


def check_signature(function: Callable[..., Any], weight_shapes: Mapping[str, Any], input_argument: str) -> None:
    """Check that a quantum function can be a layer.

    Args:
        function: the quantum function of a QNode.
        weight_shapes: the shapes given for its weights, by name.
        input_argument: the name of the argument that takes the inputs.

    Raises:
        SignatureError: if a rule of the signature is broken, or names and shapes do not match.
    """
    parameters = inspect.signature(function).parameters
    _check_arguments(parameters, input_argument)
    names = set(parameters) - {input_argument}
    if input_argument in weight_shapes:
        raise SignatureError(
            f"weight_shapes gives a shape for {input_argument!r}, which takes the inputs: their shape is known from "
            "the data. Leave it out."
        )
    if missing := sorted(names - set(weight_shapes), key=str):
        raise SignatureError(
            f"weight_shapes must give a shape for every argument of the QNode except {input_argument!r}; there is none "
            f"for {', '.join(map(repr, missing))}."
        )
    if unknown := sorted(set(weight_shapes) - names, key=str):
        raise SignatureError(
            f"weight_shapes gives a shape for {', '.join(map(repr, unknown))}, but the QNode's arguments are "
            f"{', '.join(map(repr, parameters))}."
        )


def _check_arguments(parameters: Mapping[str, inspect.Parameter], input_argument: str) -> None:
    if input_argument not in parameters:
        raise SignatureError(
            f"the QNode must have an argument named {input_argument!r} for the inputs; it has "
            f"{', '.join(map(repr, parameters)) or 'no arguments'}. Rename one, or give input_argument=... to the "
            "layer."
        )
    for name, parameter in parameters.items():
        if parameter.kind in _VARIABLE:
            raise SignatureError(
                f"the QNode takes {_VARIABLE[parameter.kind].format(name)}, but each weight must be an argument of its "
                "own. Name the arguments."
            )
        if name != input_argument and parameter.default is not inspect.Parameter.empty:
            raise SignatureError(
                f"only {input_argument!r} may have a default value, but {name!r} has one too: it is a weight, and its "
                "value belongs to the layer. Remove the default."
            )


def check_weight_specs(weight_specs: Mapping[str, Any], weight_shapes: Mapping[str, Any]) -> None:
    """Check that specifications are given for weights only, as keyword arguments.

    Raises:
        SignatureError: naming what is no weight, or no keyword arguments.
    """
    _check_mapping(weight_specs, "weight_specs", '{"weights": {"initializer": "zeros"}}')
    if unknown := sorted(set(weight_specs) - set(weight_shapes), key=str):
        raise SignatureError(
            f"weight_specs names {', '.join(map(repr, unknown))}, but the weights are "
            f"{', '.join(map(repr, weight_shapes))}."
        )
    for name, specs in weight_specs.items():
        _check_mapping(specs, f"weight_specs[{name!r}]", '{"initializer": "zeros"}')
        if "shape" in specs:
            raise SignatureError(
                f"weight_specs gives a shape for {name!r}, and so does weight_shapes. Leave it out of weight_specs."
            )


def checked_weight_shapes(weight_shapes: Mapping[str, int | Iterable[int]]) -> dict[str, tuple[int, ...]]:
    """The shape of each weight as a tuple, by name.

    Raises:
        SignatureError: if there is no mapping, or a shape in it is none.
    """
    _check_mapping(weight_shapes, "weight_shapes", '{"weights": (2, 3)}, or {} for a QNode without weights')
    return {name: weight_shape(shape) for name, shape in weight_shapes.items()}


def checked_seed(seed: int | None) -> int | None:
    """A seed as an integer, or None as it is.

    Raises:
        SignatureError: if it is neither.
    """
    try:
        return None if seed is None else index(seed)
    except TypeError as exc:
        raise SignatureError(f"seed={seed!r} is no seed for shots. Give an integer, or None.") from exc


def _check_mapping(given: Any, argument: str, example: str) -> None:
    if not isinstance(given, Mapping):
        raise SignatureError(f"{argument} is {given!r}, and must be a dictionary: give {example}.")


def weight_shape(shape: int | Iterable[int]) -> tuple[int, ...]:
    """A weight's shape as a tuple; the shape 1 is a scalar, shape ().

    Raises:
        SignatureError: if it is no integer and no sequence of positive integers.
    """
    sizes = checked_shape(shape, "a weight")
    return () if shape == 1 else sizes


def optional_shape(shape: int | Iterable[int] | None, owner: str) -> tuple[int, ...] | None:
    """A shape as a tuple, or None as it is.

    Raises:
        SignatureError: as `checked_shape`.
    """
    return None if shape is None else checked_shape(shape, owner)


def checked_shape(shape: int | Iterable[int], owner: str) -> tuple[int, ...]:
    """A shape as a tuple; an integer n is the shape (n,).

    Args:
        shape: the shape.
        owner: whose shape it is, for the error.

    Raises:
        SignatureError: if it is no integer and no sequence of positive integers.
    """
    try:
        sizes = tuple(index(size) for size in shape) if isinstance(shape, Iterable) else (index(shape),)
    except (TypeError, ValueError):  # TensorFlow's shapes of unknown rank raise the latter
        sizes = (-1,)
    if any(size < 1 for size in sizes):
        raise SignatureError(f"{shape!r} is no shape of {owner}. Give an integer, or a tuple of positive integers.")
    return sizes
