"""Kernels: the TensorFlow operations that matrices are applied by.

Each kernel is chosen by the kind of a step, never by a gate. A complex matrix is applied to the real and imaginary
parts as one real matrix, because TensorFlow multiplies real matrices three times as fast.

Names of axes: b batch (or 1), n wires, s layers, t links of a chain, K = 2 ** k states of a block of k wires.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import tensorflow as tf

from qlayer.angles.casts import to_complex
from qlayer.circuits.plan import Chain, Layer, VariableStep
from qlayer.simulation.constants import reshaped
from qlayer.simulation.register import PART, Register, is_indexed, leading, multiplied

# A layer is applied in blocks of wires. Larger blocks need fewer passes over the state and more
# multiplications. Measured for registers of 8 to 20 wires (2 cores, batches of 1 to 1,024): blocks of four and five
# wires are the fastest, of six and seven up to twice as slow.
BLOCK_MAX_WIRES = 5

Blocks = tuple[tuple[int, ...], ...]
"""The blocks of wires that a layer is applied in."""


@dataclass(frozen=True)
class Angles:
    """The values of a plan's angles: `shared` of shape (1, weight angles), `varying` of shape (batch, input angles)."""

    shared: tf.Tensor
    varying: tf.Tensor

    @property
    def dtype(self) -> tf.DType:
        """Real data type."""
        return self.shared.dtype


def complex_dtype(real: tf.DType) -> tf.DType:
    """The data type of amplitudes whose parts have a real data type."""
    return {tf.float32: tf.complex64, tf.float64: tf.complex128}[real]


def unit(phase: tf.Tensor) -> tf.Tensor:
    """exp(1j * phase), elementwise."""
    return tf.complex(tf.cos(phase), tf.sin(phase))


# ------------------------------------------------------------------------------------------------------------ layers


def layer_matrices(layers: tuple[Layer, ...], wire_count: int, angles: Angles) -> tf.Tensor:
    """The 2 x 2 unitaries of all layers at once, as the product of each wire's chain.

    Every chain is padded to the same length, so that the number of operations does not grow with the circuit.

    Returns:
        Shape (s, n, 2, 2).
    """
    chains = {(row, wire): chain for row, layer in enumerate(layers) for wire, chain in layer.chains}
    shape = (len(layers), wire_count)
    links = max((len(chain.matrices) for chain in chains.values()), default=1)
    links = 1 << (links - 1).bit_length()  # a power of two, for the tree of products
    matrices = np.broadcast_to(np.eye(2, dtype=complex), (*shape, links, 2, 2)).copy()
    index = np.zeros((*shape, links, 1, 1), dtype=np.int32)
    multiples = np.zeros((*shape, links, 1, 2))
    for place, chain in chains.items():
        _fill(chain, matrices[place], index[place], multiples[place])
    product = tf.constant(matrices, complex_dtype(angles.dtype))
    if multiples.any():
        product *= unit(tf.gather(tf.reshape(angles.shared, [-1]), index) * tf.constant(multiples, angles.dtype))
    while product.shape[2] > 1:
        first, second = tf.unstack(tf.reshape(product, [*shape, -1, 2, 2, 2]), axis=3)
        product = tf.matmul(second, first)
    return tf.squeeze(product, axis=2)


def _fill(chain: Chain, matrices: np.ndarray, index: np.ndarray, multiples: np.ndarray) -> None:
    """Write one chain into its row of the padded arrays: link 0 has no phase."""
    for link, matrix in enumerate(chain.matrices):
        matrices[link] = matrix
    for link, (angle, pair) in enumerate(chain.phases, start=1):
        index[link], multiples[link] = angle.index, pair


def blocks_of(layer: Layer, wire_count: int) -> Blocks:
    """The blocks of wires that a layer is applied in: as few as its wires need, as equal as possible.

    Small registers are one block, which needs no order of its own. Those whose bits are moved as axes have fixed blocks
    of neighbours: others would be many axes.
    """
    touched = [wire for wire, _ in layer.chains]
    if wire_count > BLOCK_MAX_WIRES and is_indexed(wire_count):
        return _divided(touched)
    return tuple(block for block in _divided(range(wire_count)) if not set(block).isdisjoint(touched))


def _divided(wires: Sequence[int]) -> Blocks:
    count = -(-len(wires) // BLOCK_MAX_WIRES)
    sizes = [len(wires) // count + (position < len(wires) % count) for position in range(count)]
    return tuple(
        tuple(wires[start : start + size]) for start, size in zip(accumulate(sizes, initial=0), sizes, strict=False)
    )


def block_stacks(matrices: tf.Tensor, blocks: Sequence[Blocks], are_real: Sequence[bool]) -> list[tf.Tensor]:
    """The Kronecker products over each block of wires, in one stack for each kind and size of blocks.

    Args:
        matrices: those of s layers: (s, n, 2, 2).
        blocks: for each layer its blocks.
        are_real: for each layer whether its matrices are real.

    Returns:
        For blocks of k wires, in the order of `blocks`: (blocks, K, K) for real layers; for others what `real_matrices`
        makes of them, (blocks, 2 K, 2 K).
    """
    count, flat = matrices.shape[1], tf.reshape(matrices, [-1, 2, 2])
    everything = list(range(flat.shape[0]))
    stacks = []
    for is_real, alike in _alike(blocks, are_real):
        places = [row * count + wire for row, block in alike for wire in block]
        needed = flat if places == everything else tf.gather(flat, places)
        products = _kronecker(tf.reshape(needed, [len(alike), -1, 2, 2]))
        stacks.append(tf.math.real(products) if is_real else real_matrices(products))
    return stacks


def block_matrices(
    stacks: Sequence[tf.Tensor], blocks: Sequence[Blocks], are_real: Sequence[bool]
) -> list[tuple[tf.Tensor, ...]]:
    """What `block_stacks` made, one by one: for each layer, for each of its blocks, shape (K, K) or (2 K, 2 K)."""
    products: dict[tuple[int, tuple[int, ...]], tf.Tensor] = {}
    for (_, alike), stack in zip(_alike(blocks, are_real), stacks, strict=True):
        products |= zip(alike, tf.unstack(stack), strict=True)
    return [tuple(products[row, block] for block in found) for row, found in enumerate(blocks)]


def _alike(blocks: Sequence[Blocks], are_real: Sequence[bool]) -> list[tuple[bool, list[tuple[int, tuple[int, ...]]]]]:
    """The layer and the wires of all blocks, those of the same kind and size together."""
    groups: dict[tuple[bool, int], list[tuple[int, tuple[int, ...]]]] = {}
    for row, (found, is_real) in enumerate(zip(blocks, are_real, strict=True)):
        for block in found:
            groups.setdefault((is_real, len(block)), []).append((row, block))
    return [(is_real, groups[is_real, size]) for is_real, size in sorted(groups)]


def _kronecker(matrices: tf.Tensor) -> tf.Tensor:
    """The Kronecker product over the second axis: (c, k, 2, 2) -> (c, K, K)."""
    products = tf.unstack(matrices, axis=1)
    while len(products) > 1:
        pairs = zip(products[0::2], products[1::2], strict=False)
        joined = [_kronecker_pair(left, right) for left, right in pairs]
        products = joined + products[len(joined) * 2 :]
    return products[0]


def _kronecker_pair(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """The Kronecker products of two stacks of matrices: (c, p, p), (c, q, q) -> (c, p q, p q)."""
    p, q = left.shape[1], right.shape[1]
    # an outer product of few axes, because TensorFlow broadcasts no more than five of them in a jacobian
    pairs = tf.reshape(left, [-1, p * p, 1]) * tf.reshape(right, [-1, 1, q * q])
    ordered = tf.transpose(tf.reshape(pairs, [-1, p, p, q, q]), [0, 1, 3, 2, 4])
    return tf.reshape(ordered, [-1, p * q, p * q])


def real_matrices(matrices: tf.Tensor) -> tf.Tensor:
    """Complex matrices as real ones from the parts of states to states of parts: (..., K, K) -> (..., 2 K, 2 K).

    The columns are (part, state), the rows are (state, part): a product takes the parts along to the next wires.
    """
    real, imag = tf.math.real(matrices), tf.math.imag(matrices)
    parts = tf.stack([tf.stack([real, -imag], axis=-2), tf.stack([imag, real], axis=-2)], axis=-3)
    size = 2 * matrices.shape[-1]
    return tf.reshape(parts, [-1, size, size])


def apply_layer(register: Register, blocks: Sequence[tuple[int, ...]], matrices: Sequence[tf.Tensor]) -> Register:
    """Apply a layer to the joined register.

    Args:
        register: the register of n wires.
        blocks: the blocks of wires.
        matrices: for each of them its matrix, as `block_stacks` makes it.
    """
    for wires, matrix in zip(blocks, matrices, strict=True):
        register = apply_real_matrix(register, wires, matrix)
    return register


def undo_layer(register: Register, blocks: Sequence[tuple[int, ...]], matrices: Sequence[tf.Tensor]) -> Register:
    """The register before a layer of unitaries: the transposed matrices take states, and their parts, back."""
    for wires, matrix in zip(reversed(blocks), reversed(matrices), strict=True):
        before, after = ((PART, *wires), (*wires, PART)) if _has_parts(matrix, wires) else (wires, wires)
        ready = register.leading(after)
        products = tf.matmul(matrix, reshaped(ready.rows, [matrix.shape[0], -1]), transpose_a=True)
        register = Register(reshaped(products, [2 ** len(ready.bits), -1]), leading(ready.bits, before))
    return register


def _has_parts(matrix: tf.Tensor, wires: tuple[int, ...]) -> bool:
    """Whether a matrix on some wires is one of parts and states, (2 K, 2 K), and not a real one of states, (K, K)."""
    return bool(matrix.shape[0] > 2 ** len(wires))


def apply_layer_to_wires(vectors: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """Apply a layer to unentangled wires: (n, 2, b) and (n, 2, 2) -> (n, 2, b)."""
    columns, amplitudes = tf.split(matrices, 2, axis=2), tf.split(vectors, 2, axis=1)
    return columns[0] * amplitudes[0] + columns[1] * amplitudes[1]


def begin_with_layer(matrices: tf.Tensor) -> tf.Tensor:
    """Apply a layer to wires in 0: (n, 2, 2) -> (n, 2, 1)."""
    return tf.split(matrices, 2, axis=2)[0]


# ---------------------------------------------------------------------------------------------------------- matrices


def apply_matrix(register: Register, wires: tuple[int, ...], matrices: tf.Tensor) -> Register:
    """Apply a matrix to some wires of the joined register.

    Args:
        register: the register of n wires.
        wires: the k wires it acts on.
        matrices: complex; shape (1, K, K), or (b, K, K) where it changes from sample to sample.
    """
    real = real_matrices(matrices)
    if real.shape[0] == 1:
        return apply_real_matrix(register, wires, real[0])
    ready, size = register.with_part.leading((PART, *wires)), real.shape[1]
    samples = tf.transpose(tf.reshape(ready.rows, [size, 2 * register.size // size, -1]), [2, 0, 1])
    products = tf.transpose(tf.matmul(real, samples), [1, 2, 0])
    return _after(ready, wires, products)


def apply_real_matrix(register: Register, wires: tuple[int, ...], matrix: tf.Tensor) -> Register:
    """Apply a matrix that all samples share to some wires of the joined register.

    Args:
        register: the register of n wires.
        wires: the k wires it acts on.
        matrix: as `real_matrices` makes it, (2 K, 2 K); or real, (K, K), which leaves real amplitudes real.
    """
    if not _has_parts(matrix, wires):
        ready = register.leading(wires)
        products = tf.matmul(matrix, reshaped(ready.rows, [matrix.shape[1], -1]))
        return Register(reshaped(products, [2 ** len(ready.bits), -1]), ready.bits)
    ready = register.with_part.leading((PART, *wires))
    return _after(ready, wires, tf.matmul(matrix, reshaped(ready.rows, [matrix.shape[1], -1])))


def _after(ready: Register, wires: tuple[int, ...], products: tf.Tensor) -> Register:
    """The register whose leading bits, the part and some wires, became the wires and the part."""
    return Register(reshaped(products, [2 * ready.size, -1]), multiplied(ready.bits, wires))


def variable_matrix(step: VariableStep, elements: tf.Tensor) -> tf.Tensor:
    """The matrix of a step with its controls: real or complex (b, 4 ** k) -> complex (b, K, K) on all its wires."""
    size = 2 ** (len(step.wires) - step.controls)
    dtype = elements.dtype if elements.dtype.is_complex else complex_dtype(elements.dtype)
    matrix = tf.reshape(to_complex(elements, dtype), [-1, size, size])
    if step.is_adjoint:
        matrix = tf.linalg.adjoint(matrix)
    if step.is_conjugate:
        matrix = tf.math.conj(matrix)
    padding = 2 ** len(step.wires) - size
    above = tf.linalg.diag([1.0] * padding + [0.0] * size)
    return tf.pad(matrix, [[0, 0], [padding, 0], [padding, 0]]) + tf.cast(above, matrix.dtype)
