"""Inference: what a request of any protocol asks of a version, and its answer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np

from service.engine.specs import DTYPES
from service.errors import InvalidRequest
from service.front.batching import DEFAULT_PRIORITY
from service.front.codecs.tensors import Arrays, has_common_rows
from service.front.version import Version

SAMPLED = "sampled"
"""The signature of a model with finite shots that takes `seed` and `shots` beside its inputs (see qlayer.export)."""


@dataclass(frozen=True)
class Inference:
    """One request, whatever protocol it came by.

    Args:
        signature: asked for by name.
        inputs: arrays by name, checked against the signature.
        timeout_s: how long it may wait.
        priority: see Batcher.submit.
        seed: of a model with finite shots; the same seed gives the same answer.
        shots: how many to draw.
    """

    signature: str
    inputs: Arrays
    timeout_s: float
    priority: int = DEFAULT_PRIORITY
    seed: int | None = None
    shots: int | None = None


async def infer(version: Version, inference: Inference) -> Arrays:
    """The outputs of a version.

    Raises:
        InvalidRequest: seed or shots for a model whose results are not drawn.
        ServiceError: as Version.predict.
    """
    name, inputs = inference.signature, inference.inputs
    if inference.seed is not None or inference.shots is not None:
        name, inputs = SAMPLED, {**inputs, **_draw(version, inference)}
    spec = version.signature(name)
    has_rows = spec.has_rows and has_common_rows(inputs)
    return await version.predict(name, inputs, inference.timeout_s, has_rows=has_rows, priority=inference.priority)


def _draw(version: Version, inference: Inference) -> Arrays:
    """What is drawn from, as inputs of the signature `sampled`."""
    if SAMPLED not in version.served_signatures():
        raise InvalidRequest(
            f"'seed' and 'shots' are for models whose results are drawn: this one has no signature '{SAMPLED}', "
            "as qlayer.export gives it to models with finite shots"
        )
    spec = version.signature(SAMPLED)
    given = {"seed": secrets.randbits(63) if inference.seed is None else inference.seed, "shots": inference.shots}
    needed = {name: value for name, value in given.items() if name in spec.inputs}
    if inference.shots is not None and "shots" not in needed:
        raise InvalidRequest("the number of shots of this model is fixed: leave 'shots' out")
    if None in needed.values():
        raise InvalidRequest("this model draws as many shots as are asked for: give 'shots' beside 'seed'")
    return {name: np.array(value, DTYPES[spec.inputs[name].dtype].numpy) for name, value in needed.items()}
