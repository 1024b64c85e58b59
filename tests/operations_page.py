"""docs/operations.md, written from the table of operations: `python -m operations_page`, or make docs-operations."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import pennylane as qml
import tensorflow as tf
from operations_rows import Row
from operations_table import TABLE
from pennylane.operation import Operator

from qlayer import UnsupportedError
from qlayer.circuits.circuit import Circuit, Operation
from qlayer.circuits.gates import GATES
from qlayer.recording.capture import capture

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"

# classes that no user puts into a circuit, and why
NO_OPERATIONS = {
    "AdjointOperation": "Adjoint",
    "CollectedSubroutine": "a record of a subroutine, with neither decomposition nor matrix",
    "PowOperation": "Pow",
    "SymbolicOp": "base class",
    "TmpPauliRot": "PauliRot, inside of PennyLane's gradients",
}

FAMILIES = {
    "Standard gates": ("pennylane.ops.qubit", "pennylane.ops.identity", "pennylane.ops.op_math.controlled_ops"),
    "Arithmetic of operators": ("pennylane.ops.op_math",),
    "Measuring and marks": ("pennylane.ops.mid_measure", "pennylane.ops.meta"),
    "Noise": ("pennylane.ops.channel",),
    "Embeddings and preparations": ("pennylane.templates.embeddings", "pennylane.templates.state_preparations"),
    "Layers and networks": (
        "pennylane.templates.core",
        "pennylane.templates.layers",
        "pennylane.templates.swapnetworks",
        "pennylane.templates.tensornetworks",
    ),
    "Algorithms": ("pennylane.templates.subroutines",),
    "Qumodes": ("pennylane.ops.cv",),
    "Qutrits": ("pennylane.ops.qutrit",),
}

HEAD = """# Operations

What becomes of each operation of PennyLane {version}. **Compiled**: it is a row of the gate table, a controlled one
included. **Rewritten**: by PennyLane's decomposition or through its matrix, into the gates that are named; C- is a
controlled gate, QubitUnitary a matrix. **Prepared**: it is what the register starts with. **Measured**: it is an
observable. **Refused**: with a sentence when the layer is built. **On the host**: it acts on no qubits; a device that
has it runs it through PennyLane, and where a compiled device is given, it is refused. `tests/qlayer/test_operations.py`
holds each row that is compiled, rewritten, prepared or measured against default.qubit (noise: default.mixed): values in
float64, gradients where the operation has angles, and for most rows the operation under `qml.adjoint` and `qml.ctrl`,
in float32.

`make docs-operations` writes this page.
"""


def discovered() -> dict[str, type]:
    """Every public class of operators in PennyLane's own modules, by name."""
    found = {}
    for package in (qml.ops, qml.templates):
        for entry in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for name, member in vars(importlib.import_module(entry.name)).items():
                is_operator = inspect.isclass(member) and issubclass(member, Operator)
                if is_operator and not name.startswith("_") and not inspect.isabstract(member):
                    found[member.__name__] = member
    own = ("pennylane.ops", "pennylane.templates")
    return {name: member for name, member in sorted(found.items()) if member.__module__.startswith(own)}


@cache
def recorded(row: Row) -> Circuit:
    """The circuit of an operation alone."""

    def function(inputs: Any, weights: Any) -> Any:
        return finished(row.body(inputs, weights))

    qnode = qml.QNode(function, qml.device(row.device, wires=row.wires))
    return capture(qnode, "inputs", (4,), {"weights": (24,)}, tf.float64)[0]


def finished(last: Any) -> Any:
    """What a quantum function returns that ends with an operation or with a measurement."""
    return last if isinstance(last, qml.measurements.MeasurementProcess) else qml.state()


def handling(row: Row) -> tuple[str, str]:
    """How an operation is handled, and what it becomes."""
    try:
        circuit = recorded(row)
    except UnsupportedError as exc:
        if row.host:
            return "on the host", f"{row.host} that has it"
        return "refused", " ".join(str(exc).split(" cannot be compiled: ")[-1].split()).split(". ")[0]
    names = ", ".join(dict.fromkeys(_gate(operation) for operation in circuit.operations))
    if circuit.preparation is not None:
        return "prepared", "on default.mixed" if circuit.is_mixed else ""
    if circuit.is_mixed:
        return "compiled", "as a channel, on default.mixed"
    if not circuit.operations:
        kind = circuit.measurements[0].kind
        return ("compiled", "nothing to do") if kind == "state" else ("measured", kind.replace("_", " "))
    is_row = len(circuit.operations) == 1 and circuit.operations[0].name in GATES
    return "compiled" if is_row else "rewritten", names


def _gate(operation: Operation) -> str:
    return "C-" * bool(operation.controls) + operation.name


def family(name: str, classes: dict[str, type]) -> str:
    """The family of a row, by the module of its class."""
    module = classes[name.split(":", maxsplit=1)[0]].__module__
    prefix = max((p for prefixes in FAMILIES.values() for p in prefixes if module.startswith(p)), key=len)
    return next(title for title, prefixes in FAMILIES.items() if prefix in prefixes)


def page() -> str:
    """The text of docs/operations.md."""
    classes = discovered()
    parts = [HEAD.format(version=qml.__version__)]
    for title in FAMILIES:
        names = sorted((name for name in TABLE if family(name, classes) == title), key=str.casefold)
        lines = []
        for name in names:
            how, what = handling(TABLE[name])
            remark = "; ".join(part for part in (what, TABLE[name].remark) if part)
            lines.append(f"| {name} | {how} | {remark} |")
        parts.append("\n".join([f"## {title}", "", "| operation | is | as, or why |", "|---|---|---|", *lines, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
