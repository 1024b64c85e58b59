"""Requests of no rows: answered without the model, which may not be able to compute nothing."""

from __future__ import annotations

import numpy as np

from service.engine.specs import DTYPES, Arrays, Shape, SignatureSpec
from service.front.models.version import Version


def is_empty(spec: SignatureSpec, inputs: Arrays) -> bool:
    """Whether inputs of a signature with rows have none."""
    return spec.has_rows and not len(next(iter(inputs.values())))


async def empty_outputs(version: Version, signature: str, inputs: Arrays, timeout_s: float) -> Arrays:
    """The outputs for no rows: arrays without elements, in the shapes that the signature or shape inference knows.

    Raises:
        ServiceError: the shapes cannot be inferred.
    """
    outputs = version.signature(signature).outputs
    shapes: dict[str, Shape | None] = {name: tensor.shape for name, tensor in outputs.items()}
    if any(None in (shape or ())[1:] for shape in shapes.values()):
        asked: dict[str, list[int | None]] = {name: list(array.shape) for name, array in inputs.items()}
        inferred = await version.infer_shapes(signature, asked, timeout_s)
        shapes = {name: shape for name, (shape, _) in inferred.items()}
    return {name: np.empty(_without_rows(shapes[name]), DTYPES[tensor.dtype].numpy) for name, tensor in outputs.items()}


def _without_rows(shape: Shape | None) -> list[int]:
    """No rows; what is free even now is 0 too."""
    return [0, *(size or 0 for size in (shape or ())[1:])]
