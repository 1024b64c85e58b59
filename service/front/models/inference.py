"""Inference: what a request of any protocol asks of a version, and its answer."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import NamedTuple

import numpy as np

from service.engine.specs import DTYPES, Arrays
from service.errors import CircuitNotFound, InvalidRequest
from service.front.circuits.card import read_card
from service.front.codecs.tensors import has_common_rows
from service.front.http.exchange import note_times, note_version
from service.front.models.batching import DEFAULT_PRIORITY
from service.front.models.version import Version

SAMPLED = "sampled"
"""The signature of a model with finite shots that takes `seed` and `shots` beside its inputs (see qlayer.export)."""


class Inference(NamedTuple):
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
    """The outputs of a version, in the order of their names.

    Raises:
        InvalidRequest: seed or shots for a model whose results are not drawn.
        ServiceError: as Version.predict.
    """
    note_version(version.id.number)
    name, inputs = inference.signature, inference.inputs
    if inference.seed is not None or inference.shots is not None:
        name, inputs = SAMPLED, {**inputs, **await _draw(version, inference)}
    spec = version.signature(name)
    is_whole = len(inputs) == len(spec.inputs)  # or defaults stand in, whose rows are not those of a batch
    has_rows = spec.has_rows and is_whole and has_common_rows(inputs)
    outputs = await version.predict(
        name, inputs, inference.timeout_s, has_rows=has_rows, priority=inference.priority, tell=note_times
    )
    return dict(sorted(outputs.items()))  # the order that a loaded signature gives them differs from worker to worker


async def _draw(version: Version, inference: Inference) -> Arrays:
    """What is drawn from, as inputs of the signature `sampled`."""
    if SAMPLED not in version.served_signatures():
        raise InvalidRequest(
            f"'seed' and 'shots' are for models whose results are drawn: this one has no signature '{SAMPLED}', "
            "as qlayer.export gives it to models with finite shots"
        )
    spec = version.signature(SAMPLED)
    if inference.shots is not None and "shots" not in spec.inputs:
        raise InvalidRequest("the number of shots of this model is fixed: leave 'shots' out")
    seed = secrets.randbits(63) if inference.seed is None else inference.seed
    given = {"seed": seed, "shots": inference.shots}
    if inference.shots is None and "shots" in spec.inputs:
        given["shots"] = await asyncio.to_thread(_usual_shots, version)
    needed = {name: value for name, value in given.items() if name in spec.inputs}
    return {name: np.array(value, DTYPES[spec.inputs[name].dtype].numpy) for name, value in needed.items()}


def _usual_shots(version: Version) -> int:
    """How many a model draws where nobody says: what its circuit card says of all that it draws."""
    with contextlib.suppress(CircuitNotFound):
        shots = read_card(version.directory).shots
        if shots is not None:
            return shots
    raise InvalidRequest("this model draws as many shots as are asked for: give 'shots' beside 'seed'")
