"""Observation: PennyLane's measurements, read into the records of a circuit.

Observables are sums of Pauli words wherever PennyLane knows them as such; all others are constant matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pennylane as qml

from qlayer.circuits.circuit import Measurement, Parameter, PauliTerm
from qlayer.errors import UnsupportedError

Wires = Callable[[Iterable[Any]], tuple[int, ...]]

_INSTEAD = {
    qml.measurements.CountsMP: "a dictionary of counts has no fixed shape. Return qml.probs or qml.sample",
    qml.measurements.SampleMP: "samples need finite shots. Use qml.set_shots, or return qml.probs",
    qml.measurements.ClassicalShadowMP: "shadows need finite shots. Use qml.set_shots, or return qml.state",
    qml.measurements.ShadowExpvalMP: "shadows need finite shots. Use qml.set_shots, or return qml.expval",
}
_NEEDS_SHOTS = tuple(process for process, reason in _INSTEAD.items() if "finite shots" in reason)
# with finite shots, what is drawn instead of the exact result, or what is drawn anyway
_SAMPLED = {
    "expval": "sampled_expval",
    "var": "sampled_var",
    "matrix_expval": "sampled_matrix_expval",
    "matrix_var": "sampled_matrix_var",
    "probs": "sampled_probs",
    "basis_probs": "sampled_basis_probs",
    "sampled_states": "sampled_states",
    "sampled_outcomes": "sampled_outcomes",
    "sampled_eigenvalues": "sampled_eigenvalues",
    "classical_shadow": "classical_shadow",
    "shadow_expval": "shadow_expval",
}


def read_measurement(process: Any, wires: Wires, labels: list[Any], shots: int) -> Measurement:
    """One of PennyLane's measurements as a record.

    Args:
        process: the measurement.
        wires: from wire labels to their numbers.
        labels: the labels of all wires.
        shots: how often it is drawn; 0 for an exact result.

    Raises:
        UnsupportedError: naming the measurement and what to use instead.
    """
    reader = _READERS.get(type(process))
    if reader is None or (isinstance(process, _NEEDS_SHOTS) and not shots):
        reason = _INSTEAD.get(type(process), "the measurement table has no row for it")
        raise UnsupportedError(f"the measurement {process} cannot be compiled: {reason}.")
    measurement = reader(process, wires, labels)
    if not shots:
        return measurement
    if measurement.kind not in _SAMPLED:
        raise UnsupportedError(f"{process} is an exact property of the state; it cannot be had with finite shots.")
    return replace(measurement, kind=_SAMPLED[measurement.kind], shots=shots)


def summands(observable: Any) -> list[tuple[Any, Any]]:
    """The coefficients and terms of a sum; `terms` of PennyLane's would compare each coefficient with 1."""
    if observable.pauli_rep is not None:
        return [(coefficient, word.operation()) for word, coefficient in observable.pauli_rep.items()]
    if isinstance(observable, qml.ops.SProd):
        return [(observable.scalar * factor, term) for factor, term in summands(observable.base)]
    if isinstance(observable, qml.ops.LinearCombination):
        pairs = list(zip(*observable.terms(), strict=True))
    elif isinstance(observable, qml.ops.Sum):
        pairs = [(1.0, summand) for summand in observable.operands]
    else:
        return [(1.0, observable)]
    return [(outer * factor, term) for outer, inner in pairs for factor, term in summands(inner)]


def _sample(process: Any, wires: Wires, labels: list[Any]) -> Measurement:
    """Bits of wires, the outcomes of a Pauli word, or the eigenvalues of another observable."""
    if process.obs is None and (process.mv is None or isinstance(process.mv, list)):
        return Measurement("sampled_states", wires(process.wires or labels))
    if process.obs is None:  # a calculation with measurements in mid-circuit
        return Measurement("sampled_eigenvalues", wires(process.wires), matrix=_constants(np.diag(process.eigvals())))
    observable = _observable("expval", process, wires)
    if [term.coefficient for term in observable.observable] == [1.0]:
        return replace(observable, kind="sampled_outcomes")
    return Measurement("sampled_eigenvalues", wires(process.obs.wires), matrix=_matrix(process.obs))


def _shadow(process: Any, wires: Wires, labels: list[Any]) -> Measurement:
    return Measurement("classical_shadow", wires(process.wires or labels))


def _shadow_expval(process: Any, wires: Wires, _labels: list[Any]) -> Measurement:
    if isinstance(process.H, list | tuple) or process.H.pauli_rep is None:
        raise UnsupportedError(
            f"{process} cannot be compiled: a shadow gives the expectation value of one sum of Pauli words. Return a "
            "qml.shadow_expval for each observable."
        )
    return Measurement("shadow_expval", wires(process.H.wires), _terms(process.H, wires), groups=process.k)


def _expval(process: Any, wires: Wires, _labels: list[Any]) -> Measurement:
    return _observable("expval", process, wires)


def _var(process: Any, wires: Wires, _labels: list[Any]) -> Measurement:
    return _observable("var", process, wires)


def _observable(kind: str, process: Any, wires: Wires) -> Measurement:
    """A function of an observable: of its Pauli words, or of its matrix where it has none."""
    observable = process.obs
    if observable is None and process.eigvals() is not None:  # of a measurement in mid-circuit
        return Measurement(f"matrix_{kind}", wires(process.wires), matrix=_constants(np.diag(process.eigvals())))
    if observable is None:
        raise UnsupportedError(f"{process} has no observable, so there is nothing to take the {kind} of.")
    if observable.pauli_rep is None:
        return Measurement(f"matrix_{kind}", wires(observable.wires), matrix=_matrix(observable))
    return Measurement(kind, (), _terms(observable, wires))


def _terms(observable: Any, wires: Wires) -> tuple[PauliTerm, ...]:
    """An observable as a sum of Pauli words; where they cancel, of the identity, no times."""
    sentence = observable.pauli_rep
    sentence.simplify()
    terms = tuple(_term(word, coefficient, wires) for word, coefficient in sentence.items())
    return terms or (PauliTerm(0.0, ()),)


def _term(word: Any, coefficient: Any, wires: Wires) -> PauliTerm:
    if not np.isclose(np.imag(coefficient), 0):
        raise UnsupportedError(f"the coefficient {coefficient} of {word} is not real, so this is no observable.")
    return PauliTerm(float(np.real(coefficient)), tuple(zip(wires(word), word.values(), strict=True)))


def _probs(process: Any, wires: Wires, labels: list[Any]) -> Measurement:
    if process.obs is None:
        return Measurement("probs", wires(process.wires or labels))
    changes = process.diagonalizing_gates()
    if not changes:
        return Measurement("probs", wires(process.wires))
    basis = qml.matrix(qml.prod(*reversed(changes)) if len(changes) > 1 else changes[0], wire_order=process.wires)
    return Measurement("basis_probs", wires(process.wires), matrix=_constants(basis))


def _state(_process: Any, wires: Wires, labels: list[Any]) -> Measurement:
    return Measurement("state", wires(labels))


def _density_matrix(process: Any, wires: Wires, labels: list[Any]) -> Measurement:
    return Measurement("density_matrix", wires(process.wires or labels))


def _purity(process: Any, wires: Wires, _labels: list[Any]) -> Measurement:
    return Measurement("purity", wires(process.wires))


def _vn_entropy(process: Any, wires: Wires, _labels: list[Any]) -> Measurement:
    return Measurement("vn_entropy", wires(process.wires), log_base=process.log_base)


def _mutual_info(process: Any, wires: Wires, _labels: list[Any]) -> Measurement:
    first, second = process.raw_wires
    return Measurement("mutual_info", wires(first), other_wires=wires(second), log_base=process.log_base)


_READERS: dict[type, Callable[[Any, Wires, list[Any]], Measurement]] = {
    qml.measurements.ExpectationMP: _expval,
    qml.measurements.VarianceMP: _var,
    qml.measurements.ProbabilityMP: _probs,
    qml.measurements.SampleMP: _sample,
    qml.measurements.ClassicalShadowMP: _shadow,
    qml.measurements.ShadowExpvalMP: _shadow_expval,
    qml.measurements.StateMP: _state,
    qml.measurements.DensityMatrixMP: _density_matrix,
    qml.measurements.PurityMP: _purity,
    qml.measurements.VnEntropyMP: _vn_entropy,
    qml.measurements.MutualInfoMP: _mutual_info,
}


def _matrix(observable: Any) -> Parameter:
    if not observable.has_matrix and not observable.has_sparse_matrix:
        raise UnsupportedError(f"the observable {observable} is no sum of Pauli words and has no matrix.")
    if observable.has_matrix:
        return _constants(qml.matrix(observable, wire_order=observable.wires))
    return _constants(observable.sparse_matrix(wire_order=observable.wires).todense())


def _constants(matrix: Any) -> Parameter:
    array = np.asarray(matrix, dtype=complex)
    return Parameter(array.shape, tuple(array.ravel().tolist()))
