"""Plan: the steps a circuit is computed in, as plain data.

The scheduler writes plans, the kernels run them. A plan is a product prefix (every wire is its own 2-vector), then
steps on the joined register, then a readout. Basis states are indexed by integers; bit `wire_bit(wire, wire_count)`
belongs to a wire. Only phases and whole matrices change from sample to sample: everything else is shared by the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from qlayer.circuits.circuit import Measurement, Parameter, Preparation

_ROUNDING = 1e-12  # of products of unitary matrices


def wire_bit(wire: int, wire_count: int) -> int:
    """The bit of a basis state that a wire is; wire 0 is the most significant."""
    return 1 << (wire_count - 1 - wire)


@cache
def _sample(number: int) -> float:
    return float(np.random.default_rng(number).uniform(-np.pi, np.pi))


@dataclass(frozen=True)
class Angle:
    """One of the plan's angles: an index into `Plan.input_angles` or into `Plan.weight_angles`."""

    index: int
    is_input_dependent: bool

    @property
    def sample(self) -> float:
        """A random value, always the same, that stands for all: what is real there is real at every value."""
        return _sample(2 * self.index + self.is_input_dependent)


@dataclass(frozen=True)
class AngleSource:
    """Where the values of one of the plan's angles come from.

    Args:
        output: index of an output of the angle graph.
        position: which element of it.
        coefficient: the multiple of it in the phases it is a part of. Of use where every angle stands for a single
            place in the circuit.
    """

    output: int
    position: int
    coefficient: float


@dataclass(frozen=True)
class MaskTerm:
    """A part of a phase: `coefficient * angle * (-1) ** popcount(state & mask)`; the angle None is 1."""

    mask: int
    coefficient: float
    angle: Angle | None


@dataclass(frozen=True)
class Chain:
    """The product of one wire's gates in a layer: C[T] D[T] ... C[1] D[1] C[0].

    Args:
        matrices: T + 1 constant matrices C of shape (2, 2).
        phases: T pairs of an angle and the two multiples of it that make D = diag(exp(1j * multiples * angle)).
    """

    matrices: tuple[np.ndarray, ...]
    phases: tuple[tuple[Angle, tuple[float, float]], ...]

    @cached_property
    def sample(self) -> np.ndarray:
        """The product at the samples of the angles, shape (2, 2)."""
        product = self.matrices[0]
        for matrix, (angle, multiples) in zip(self.matrices[1:], self.phases, strict=True):
            product = matrix @ (np.exp(1j * angle.sample * np.array(multiples))[:, np.newaxis] * product)
        return product


@dataclass(frozen=True)
class Layer:
    """A 2 x 2 unitary on each of some wires, without a batch axis."""

    chains: tuple[tuple[int, Chain], ...]

    @cached_property
    def is_real(self) -> bool:
        """Whether all its matrices are real whatever the angles are."""
        return all(is_real(chain.sample) for _, chain in self.chains)


@dataclass(frozen=True)
class PhaseStep:
    """A diagonal, then a permutation of basis states.

    Args:
        terms: the phase polynomial.
        sources: for each basis state, the one whose amplitude it gets; None for no permutation.
        flips: the bits that the permutation flips, where it does nothing else; 0 otherwise.
    """

    terms: tuple[MaskTerm, ...]
    sources: np.ndarray | None
    flips: int


@dataclass(frozen=True)
class MatrixStep:
    """A constant of shape (2 ** k, 2 ** k) on k wires."""

    wires: tuple[int, ...]
    matrix: np.ndarray


@dataclass(frozen=True)
class VariableStep:
    """A matrix that is calculated from inputs or weights.

    Args:
        wires: the controls first, then the k wires of the unitary.
        controls: how many wires control it.
        is_adjoint: whether the conjugate transpose of the elements is applied.
        is_conjugate: whether the complex conjugate is (of the transpose, if both are).
        elements: the 4 ** k elements among the outputs of the angle graph.
    """

    wires: tuple[int, ...]
    controls: int
    is_adjoint: bool
    is_conjugate: bool
    elements: Parameter


Step = Layer | PhaseStep | MatrixStep | VariableStep


@dataclass(frozen=True)
class Word:
    """A Pauli word P with P|x> = phase * (-1) ** popcount(x & z) |x ^ self.x>; the phase is a power of i."""

    x: int
    z: int
    phase: complex

    def __matmul__(self, other: Word) -> Word:
        """The product of two words, the right one being applied first."""
        sign = -1 if (other.x & self.z).bit_count() % 2 else 1
        return Word(self.x ^ other.x, self.z ^ other.z, sign * self.phase * other.phase)


@dataclass(frozen=True)
class Readout:
    """One measurement of the plan's final state.

    Args:
        measurement: what is measured, on the plan's wires.
        words: pairs of a real coefficient and a Pauli word, for an observable that is a sum of Pauli words.
    """

    measurement: Measurement
    words: tuple[tuple[float, Word], ...]

    @property
    def is_diagonal(self) -> bool:
        """Whether only the absolute values of the amplitudes count."""
        if self.measurement.kind == "shadow_expval":  # every wire is measured in all three bases
            return False
        return self.measurement.kind in ("probs", "sampled_probs", "sampled_states") or (
            bool(self.words) and not any(word.x for _, word in self.words)
        )

    def squared(self) -> Readout:
        """The readout of the squared observable; the products of words that anticommute cancel."""
        total: dict[tuple[int, int], complex] = {}
        for left, first in self.words:
            for right, second in self.words:
                word = first @ second
                key = (word.x, word.z)
                total[key] = total.get(key, 0) + left * right * word.phase
        words = tuple((abs(factor), Word(x, z, factor / abs(factor))) for (x, z), factor in total.items() if factor)
        return Readout(self.measurement, words or self.words)  # the square of 0 is 0


@dataclass(frozen=True)
class Plan:
    """How a circuit is computed.

    Args:
        wire_count: number of wires of the register; for a density matrix, those of its rows, then those of its columns.
        weight_angles: each angle that is shared by the batch.
        input_angles: each angle that changes from sample to sample.
        preparation: the initial amplitudes; None for all wires in 0.
        prefix: steps on wires that are not entangled yet.
        steps: steps on the joined register.
        readouts: the measurements, in order.
    """

    wire_count: int
    weight_angles: tuple[AngleSource, ...]
    input_angles: tuple[AngleSource, ...]
    preparation: Preparation | None
    prefix: tuple[Layer | PhaseStep, ...]
    steps: tuple[Step, ...]
    readouts: tuple[Readout, ...]

    @property
    def elements(self) -> tuple[Parameter, ...]:
        """The numbers it needs that are no angles: the preparation's amplitudes, then calculated matrices."""
        matrices = tuple(step.elements for step in self.steps if isinstance(step, VariableStep))
        return (self.preparation.amplitudes, *matrices) if self.preparation else matrices

    @property
    def outputs(self) -> set[int]:
        """The outputs of the angle graph that it needs."""
        angles = {angle.output for angle in (*self.weight_angles, *self.input_angles)}
        return angles | {parameter.output for parameter in self.elements if parameter.output is not None}

    @property
    def has_calculated_elements(self) -> bool:
        """Whether a matrix or the preparation is calculated from inputs or weights."""
        return any(not parameter.is_constant for parameter in self.elements)


def is_real(values: np.ndarray) -> bool:
    """Whether numbers are real, up to rounding."""
    return not np.any(np.abs(np.imag(values)) > _ROUNDING)
