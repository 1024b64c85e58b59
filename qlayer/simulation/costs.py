"""Costs: what a plan's steps take on a processor, in seconds for each sample, so that plans can be compared.

The rates are those that TensorFlow 2.21 reached on two cores with AVX-512: real matrix products of the plans' sizes,
and passes that read and write a state. Only ratios matter, and they hold over a wide range of machines.
"""

from __future__ import annotations

from collections.abc import Iterable

from qlayer.circuits.plan import Layer, MatrixStep, PhaseStep, Plan, Step, VariableStep
from qlayer.simulation.kernels import blocks_of

FLOPS_PER_SECOND = 8e10
BYTES_PER_SECOND = 2.5e10  # of states that fit into the caches, as those of chunks do
OPERATION_SECONDS = 3e-6  # to start one TensorFlow operation
REFERENCE_BATCH = 64  # a batch between one request and a full bucket: plans have to serve both

_BYTES_PER_STATE = 8  # two parts of single precision
_PASSES_OF_PHASE = 6  # cosine, sine and four products, which are half a state each, their sums, and putting together


def plan_cost(plan: Plan) -> float:
    """Seconds for each sample, the readout included."""
    start = _passes(plan.wire_count, 4) + 20 * OPERATION_SECONDS / REFERENCE_BATCH
    words = len({word.x for readout in plan.readouts for _, word in readout.words})
    readout = _passes(plan.wire_count, 1 + 3 * words) + 8 * (1 + words) * OPERATION_SECONDS / REFERENCE_BATCH
    return start + steps_cost(plan.steps, plan.wire_count) + readout


def steps_cost(steps: Iterable[Step], wire_count: int) -> float:
    """Seconds for each sample of steps on the joined register."""
    return sum(_step_cost(step, wire_count) for step in steps)


def products_cost(multiplications: float, table_elements: float, operations: int) -> float:
    """Seconds for each sample of real matrix products with constant tables."""
    reading = table_elements * _BYTES_PER_STATE / 2 / BYTES_PER_SECOND
    return 2 * multiplications / FLOPS_PER_SECOND + (reading + operations * OPERATION_SECONDS) / REFERENCE_BATCH


def _step_cost(step: Step, wire_count: int) -> float:
    size = 2**wire_count
    match step:
        case Layer():
            blocks = blocks_of(step, wire_count)
            products = sum((2 if step.is_real else 4) * 2 ** len(block) * size for block in blocks)
            return products_cost(products, 0, 3 * len(blocks)) + _passes(wire_count, len(blocks))
        case PhaseStep():
            moves = 1 if step.sources is not None else 0
            varies = any(term.angle for term in step.terms)
            phase = _PASSES_OF_PHASE if varies else _PASSES_OF_PHASE - 2
            return _passes(wire_count, moves + (phase if step.terms else 0)) + products_cost(0, 0, 12)
        case MatrixStep() | VariableStep():
            block = 2 ** len(step.wires)
            is_whole = step.wires == tuple(range(wire_count))
            return products_cost(4 * block * size, 4 * block**2, 3) + _passes(wire_count, 1 if is_whole else 4)


def _passes(wire_count: int, count: float) -> float:
    """Seconds for each sample to read and write the state some times."""
    return 2 * count * _BYTES_PER_STATE * 2**wire_count / BYTES_PER_SECOND
