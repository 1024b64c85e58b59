"""The circuit card: what an exported model's circuits are, as JSON for whoever serves or shows the model.

`docs/circuit-card.schema.json` says what is in it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from math import prod
from typing import Any

import tensorflow as tf

from qlayer._version import __version__
from qlayer.circuits.angle_sources import AngleSources
from qlayer.circuits.circuit import Circuit, Measurement, Operation, PauliTerm
from qlayer.drawing import draw_known, result_name
from qlayer.exporting.freezing import FrozenLayer
from qlayer.exporting.openqasm import openqasm
from qlayer.keras_compat import VERSION

FORMAT = 1  # of the card; a higher number for a card that readers of this one would misread
FILE = "assets.extra/circuit.json"

_CONTROLLED = {
    ("PauliX", 1): "CNOT",
    ("PauliX", 2): "Toffoli",
    ("PauliY", 1): "CY",
    ("PauliZ", 1): "CZ",
    ("PauliZ", 2): "CCZ",
    ("Hadamard", 1): "CH",
    ("RX", 1): "CRX",
    ("RY", 1): "CRY",
    ("RZ", 1): "CRZ",
    ("Rot", 1): "CRot",
    ("PhaseShift", 1): "ControlledPhaseShift",
    ("SWAP", 1): "CSWAP",
}
_TERMS_MAX = 50  # of an observable, in its text


def card(layers: Iterable[FrozenLayer], batch_sizes: Iterable[int]) -> dict[str, Any]:
    """The circuit card of an exported model.

    Args:
        layers: its quantum layers.
        batch_sizes: the batch sizes that have a signature of their own.

    Returns:
        JSON data.
    """
    pennylane = sys.modules.get("pennylane")
    return {
        "format": FORMAT,
        "created_by": f"qlayer {__version__}",
        "versions": {
            "tensorflow": tf.__version__,
            "keras": VERSION,
            **({"pennylane": pennylane.__version__} if pennylane else {}),
        },
        "batch_sizes": list(batch_sizes),
        "layers": [_layer(layer) for layer in layers],
    }


def _layer(layer: FrozenLayer) -> dict[str, Any]:
    program = layer.compiled.program
    circuit, graph = program.circuit, program.angle_graph
    values = {place: value.ravel().tolist() for place, value in graph.known_values(layer.values).items()}
    sources = AngleSources(circuit, graph.argument_names(layer.compiled.argument_names), values)
    measurements = [_measurement(measurement, circuit) for measurement in circuit.measurements]
    return {
        "name": layer.name,
        "wires": _labels(circuit.wire_labels),
        "operations": [*_preparation(circuit), *(_operation(operation, sources) for operation in circuit.operations)],
        "measurements": measurements,
        "depth": _depth(circuit),
        "gate_counts": dict(Counter(_gate(operation) for operation in circuit.operations)),
        "parameters": sum(prod(value.shape) for value in layer.values),
        "output_shape": list(layer.compiled.output_shape),
        "openqasm": openqasm(sources, _comments(circuit, measurements), is_measured=_is_read_off(circuit)),
        "text": draw_known(sources),
    }


def _labels(labels: Iterable[int | str]) -> list[int | str]:
    return [label if isinstance(label, int) else str(label) for label in labels]


def _operation(operation: Operation, sources: AngleSources) -> dict[str, Any]:
    angles = [parameter for parameter in operation.parameters if not parameter.shape]
    numbers = [sources.number(angle) for angle in angles]
    return {
        "name": operation.name,
        "wires": _labels(sources.circuit.wire_labels[wire] for wire in operation.wires),
        "angles": [
            sources.text(angle) if number is None else number for angle, number in zip(angles, numbers, strict=True)
        ],
        **({"controls": operation.controls} if operation.controls else {}),
        **({"adjoint": True} if operation.is_adjoint else {}),
    }


def _preparation(circuit: Circuit) -> list[dict[str, Any]]:
    if circuit.preparation is None:
        return []
    wires = _labels(circuit.wire_labels[wire] for wire in circuit.preparation.wires)
    return [{"name": "StatePrep", "wires": wires, "angles": []}]


def _gate(operation: Operation) -> str:
    """The name of an operation with its controls and its inverse, as PennyLane calls it."""
    name, controls = operation.name, operation.controls
    if controls:
        name = _CONTROLLED.get((name, controls)) or "C(" * controls + name + ")" * controls
    return f"Adjoint({name})" if operation.is_adjoint else name


def _depth(circuit: Circuit) -> int:
    """The length of the longest chain of operations that wait for each other; one without wires waits for all."""
    depths = dict.fromkeys(range(circuit.wire_count), 0)
    for operation in circuit.operations:
        wires = operation.wires or tuple(depths)
        depths |= dict.fromkeys(wires, 1 + max((depths[wire] for wire in wires), default=0))
    return max(depths.values(), default=0)


# ------------------------------------------------------------------------------------------------------ measurements


def _measurement(measurement: Measurement, circuit: Circuit) -> dict[str, Any]:
    wires = (*measurement.wires, *measurement.other_wires) or tuple(sorted(measurement.all_wires))
    return {
        "kind": result_name(measurement),
        "wires": _labels(circuit.wire_labels[wire] for wire in wires),
        "observable": _observable(measurement, circuit),
        "shots": measurement.shots or None,
    }


def _observable(measurement: Measurement, circuit: Circuit) -> str | None:
    """What is measured: a sum of Pauli words, or the word for what is none; None where no observable is."""
    if measurement.matrix is not None:
        return "Hermitian" if result_name(measurement) in ("expval", "var", "eigenvalues") else "basis"
    factor = "" if measurement.weights is None else "θ * "  # calculated coefficients
    words = [factor + _term(term, circuit) for term in _terms(measurement)]
    rest = [f"... ({len(words)} terms)"] * (len(words) > _TERMS_MAX)
    return " + ".join([*words[:_TERMS_MAX], *rest]) or None


def _terms(measurement: Measurement) -> list[PauliTerm]:
    """The Pauli words of an observable, also of one with calculated coefficients."""
    return [term for part in measurement.parts or (measurement,) for term in part.observable]


def _term(term: PauliTerm, circuit: Circuit) -> str:
    word = " @ ".join(f"{pauli}({circuit.wire_labels[wire]!r})" for wire, pauli in term.factors) or "I"
    return word if term.coefficient == 1 else f"{float(term.coefficient)!r} * {word}"


def _comments(circuit: Circuit, measurements: Iterable[dict[str, Any]]) -> list[str]:
    """The lines of an OpenQASM program that say what its qubits are and what is measured."""
    wires = ", ".join(f"q[{wire}] is {label!r}" for wire, label in enumerate(circuit.wire_labels) if wire != label)
    results = [
        f"result: {found['kind']} of {found['observable'] or ', '.join(map(repr, found['wires'])) or 'all wires'}"
        for found in measurements
    ]
    return [*([f"wires: {wires}"] if wires else []), *results]


def _is_read_off(circuit: Circuit) -> bool:
    """Whether every result follows from a measurement of all wires in the computational basis."""
    return bool(circuit.wire_count) and all(_is_computational(measurement) for measurement in circuit.measurements)


def _is_computational(measurement: Measurement) -> bool:
    if measurement.matrix is not None or result_name(measurement) not in (
        "expval",
        "var",
        "probs",
        "states",
        "outcomes",
    ):
        return False
    return all(pauli == "Z" for term in _terms(measurement) for _, pauli in term.factors)
