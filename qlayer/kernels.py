"""Kernels: the TensorFlow operations a plan is made of.

Each kernel is chosen by the kind of a step, never by a gate. The batch axis comes first and is always there; it is 1 as
long as nothing depends on the inputs, and broadcasts against the batch from the first angle on that does.

Names of axes: b batch (or 1), n wires, s layers, t links of a chain, K = 2 ** k states of a block of k wires.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
import tensorflow as tf

from qlayer.plan import Chain, Layer, MaskTerm, PhaseStep, VariableStep, wire_bit
from qlayer.register import length_of, to_end

# A layer is applied in blocks of neighbouring wires, each one matrix product of (batch x rest, K) by (K, K). Larger
# blocks need fewer passes over the state and more multiplications. From 3 to 7 wires the size made little difference
# for registers of 8 to 16 wires (2 cores, batches of 32 and 1,024); 8 wires were up to four times slower.
BLOCK_MAX_WIRES = 6


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
    index = np.zeros((*shape, links), dtype=np.int32)
    multiples = np.zeros((*shape, links, 2))
    for place, chain in chains.items():
        _fill(chain, matrices[place], index[place], multiples[place])
    product = tf.constant(matrices, complex_dtype(angles.dtype))
    if multiples.any():
        phase = tf.gather(angles.shared[0], index)[..., tf.newaxis] * tf.constant(multiples, angles.dtype)
        product *= unit(phase)[..., tf.newaxis, :]
    while product.shape[2] > 1:
        product = tf.matmul(product[:, :, 1::2], product[:, :, 0::2])
    return product[:, :, 0]


def _fill(chain: Chain, matrices: np.ndarray, index: np.ndarray, multiples: np.ndarray) -> None:
    """Write one chain into its row of the padded arrays: link 0 has no phase."""
    for link, matrix in enumerate(chain.matrices):
        matrices[link] = matrix
    for link, (angle, pair) in enumerate(chain.phases, start=1):
        index[link], multiples[link] = angle.index, pair


def blocks_of(wire_count: int) -> list[int]:
    """The sizes of the blocks of neighbouring wires, as equal as possible."""
    count = max(1, -(-wire_count // BLOCK_MAX_WIRES))
    return [wire_count // count + (position < wire_count % count) for position in range(count)]


def block_matrices(matrices: tf.Tensor) -> list[list[tf.Tensor]]:
    """The Kronecker products over each block of wires.

    Args:
        matrices: shape (s, n, 2, 2).

    Returns:
        For each layer, for each block of k wires, shape (K, K).
    """
    if not matrices.shape[0]:
        return []
    sizes = blocks_of(matrices.shape[1])
    starts = list(accumulate(sizes, initial=0))
    groups = {
        size: [start for start, found in zip(starts, sizes, strict=False) if found == size] for size in set(sizes)
    }
    products: dict[int, tf.Tensor] = {}
    for size, begins in groups.items():
        wires = np.add.outer(begins, np.arange(size))
        stack = tf.gather(matrices, wires, axis=1)  # (s, blocks of this size, size, 2, 2)
        products |= zip(begins, tf.unstack(_kronecker(stack), axis=1), strict=True)
    rows = [tf.unstack(products[start]) for start in starts[:-1]]
    return [list(blocks) for blocks in zip(*rows, strict=True)]


def _kronecker(matrices: tf.Tensor) -> tf.Tensor:
    """The Kronecker product over the third axis: (s, blocks, k, 2, 2) -> (s, blocks, K, K)."""
    count = matrices.shape[0] * matrices.shape[1]
    product = tf.reshape(matrices[:, :, 0], [count, 2, 2])
    for wire in range(1, matrices.shape[2]):
        size = product.shape[1]
        # an outer product of few axes, because TensorFlow broadcasts no more than six of them in a jacobian
        pairs = tf.reshape(product, [count, -1, 1]) * tf.reshape(matrices[:, :, wire], [count, 1, 4])
        ordered = tf.transpose(tf.reshape(pairs, [count, size, size, 2, 2]), [0, 1, 3, 2, 4])
        product = tf.reshape(ordered, [count, 2 * size, 2 * size])
    return tf.reshape(product, [*matrices.shape[:2], *product.shape[1:]])


def apply_layer(state: tf.Tensor, blocks: list[tf.Tensor]) -> tf.Tensor:
    """Apply a layer to the joined register.

    Each block's wires lead once: they are brought to the end, multiplied there, and stay there, so that after all
    blocks every wire is back in its place.

    Args:
        state: shape (b, 2 ** n).
        blocks: for each block of wires, shape (K, K).

    Returns:
        Shape (b, 2 ** n).
    """
    for block in blocks:
        size = block.shape[0]
        if len(blocks) > 1:
            state = tf.transpose(tf.reshape(state, [-1, size, state.shape[1] // size]), [0, 2, 1])
        state = tf.reshape(tf.matmul(tf.reshape(state, [-1, size]), block, transpose_b=True), [-1, length_of(state)])
    return state


def apply_layer_to_wires(vectors: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """Apply a layer to unentangled wires: (b, n, 2) and (n, 2, 2) -> (b, n, 2)."""
    return tf.reduce_sum(matrices * vectors[:, :, tf.newaxis, :], axis=-1)


# ------------------------------------------------------------------------------------------------------------ phases


def parities(masks: list[int], bits: int, dtype: tf.DType) -> tf.Tensor:
    """(-1) ** popcount(state & mask): shape (masks, 2 ** bits).

    Made as an outer product of the upper and the lower half of the bits, so that a saved model holds no large
    constants.
    """
    low = bits // 2
    upper = _parity_table([mask >> low for mask in masks], bits - low)
    lower = _parity_table([mask & (2**low - 1) for mask in masks], low)
    product = tf.constant(upper, dtype)[:, :, tf.newaxis] * tf.constant(lower, dtype)[:, tf.newaxis, :]
    return tf.reshape(product, [len(masks), 2**bits])


def _parity_table(masks: list[int], bits: int) -> np.ndarray:
    return 1 - 2 * (np.bitwise_count(np.array(masks)[:, np.newaxis] & np.arange(2**bits)) & 1).astype(np.int8)


def phase_coefficients(terms: tuple[MaskTerm, ...], masks: list[int], angles: Angles) -> tf.Tensor:
    """The coefficient of each mask in a phase polynomial.

    Returns:
        Shape (batch, masks) if a term depends on the inputs, (1, masks) otherwise.
    """
    constants = np.zeros((1, len(masks)))
    for term in terms:
        if term.angle is None:
            constants[0, masks.index(term.mask)] += term.coefficient
    total = tf.constant(constants, angles.dtype)
    for varies, values in ((False, angles.shared), (True, angles.varying)):
        used = [(term.angle.index, term) for term in terms if term.angle and term.angle.is_input_dependent == varies]
        if used:
            columns = sorted({index for index, _ in used})
            table = np.zeros((len(columns), len(masks)))
            for index, term in used:
                table[columns.index(index), masks.index(term.mask)] += term.coefficient
            total += tf.matmul(pick_columns(values, columns), tf.constant(table, angles.dtype))
    return total


def pick_columns(values: tf.Tensor, columns: list[int]) -> tf.Tensor:
    """Some columns of a matrix, without a copy where that is all of them in order."""
    return values if columns == list(range(values.shape[1])) else tf.gather(values, columns, axis=1)


def _polynomial(terms: tuple[MaskTerm, ...], bits: int, angles: Angles) -> tf.Tensor:
    """exp(1j * phase) of a phase polynomial on 2 ** bits states; the masks lie within these bits."""
    masks = sorted({term.mask for term in terms})
    return unit(tf.matmul(phase_coefficients(terms, masks, angles), parities(masks, bits, angles.dtype)))


def apply_phase(state: tf.Tensor, step: PhaseStep, angles: Angles) -> tf.Tensor:
    """Apply a diagonal and a permutation to the joined register, of shape (b, 2 ** n).

    What depends on the inputs but only on the upper or only on the lower half of the wires is computed on 2 ** (n / 2)
    states; cosines and sines of the whole register are only taken where they must be.
    """
    wires = length_of(state).bit_length() - 1
    low = wires // 2
    varying = [term for term in step.terms if term.angle and term.angle.is_input_dependent]
    lower = tuple(term for term in varying if term.mask < 2**low)
    upper = tuple(replace(term, mask=term.mask >> low) for term in varying if not term.mask % 2**low and term.mask)
    split = {term.mask for term in lower} | {term.mask << low for term in upper}
    whole = tuple(term for term in step.terms if term not in varying or term.mask not in split)
    if lower or upper:
        left = _polynomial(upper, wires - low, angles)[:, :, tf.newaxis] if upper else 1
        right = _polynomial(lower, low, angles)[:, tf.newaxis, :] if lower else 1
        state = tf.reshape(tf.reshape(state, [-1, 2 ** (wires - low), 2**low]) * (left * right), [-1, 2**wires])
    if whole:
        state *= _polynomial(whole, wires, angles)
    return state if step.sources is None else tf.gather(state, step.sources, axis=1)


def apply_phase_to_wires(vectors: tf.Tensor, step: PhaseStep, angles: Angles) -> tf.Tensor:
    """Apply a diagonal of single wires and flips to unentangled wires: (b, n, 2) -> (b, n, 2)."""
    wires = vectors.shape[1]
    bits = [wire_bit(wire, wires) for wire in range(wires)]
    if step.terms:
        masks = sorted({term.mask for term in step.terms})
        table = np.zeros((len(masks), wires, 2))
        for row, mask in enumerate(masks):  # a global phase (mask 0) is given to wire 0
            table[row, bits.index(mask) if mask else 0] = (1, -1 if mask else 1)
        phase = tf.matmul(
            phase_coefficients(step.terms, masks, angles), tf.constant(table.reshape(len(masks), -1), angles.dtype)
        )
        vectors *= tf.reshape(unit(phase), [-1, wires, 2])
    if step.flips:
        flipped = tf.constant([[bool(step.flips & bit)] for bit in bits])
        vectors = tf.where(flipped, tf.reverse(vectors, [2]), vectors)
    return vectors


# ---------------------------------------------------------------------------------------------------------- matrices


def apply_matrix(state: tf.Tensor, wires: tuple[int, ...], matrix: tf.Tensor) -> tf.Tensor:
    """Apply a matrix to some wires of the joined register.

    Args:
        state: shape (b, 2 ** n).
        wires: the k wires it acts on.
        matrix: shape (K, K), or (b, K, K) where it changes from sample to sample.

    Returns:
        Shape (b, 2 ** n).
    """
    moved, order = to_end(state, wires)
    rest = moved.shape[1 : -len(wires)]
    product = tf.matmul(tf.reshape(moved, [-1, rest.num_elements(), 2 ** len(wires)]), matrix, transpose_b=True)
    back = [order.index(axis) for axis in range(len(order))]
    product = tf.reshape(product, [-1, *rest, *[2] * len(wires)])
    return tf.reshape(tf.transpose(product, back), [-1, length_of(state)])


def variable_matrix(step: VariableStep, elements: tf.Tensor) -> tf.Tensor:
    """The matrix of a step with its controls: (b, 4 ** k) -> (b, K, K) on all wires of the step."""
    size = 2 ** (len(step.wires) - step.controls)
    matrix = tf.reshape(elements, [-1, size, size])
    if step.is_adjoint:
        matrix = tf.linalg.adjoint(matrix)
    if step.is_conjugate:
        matrix = tf.math.conj(matrix)
    padding = 2 ** len(step.wires) - size
    above = tf.linalg.diag([1.0] * padding + [0.0] * size)
    return tf.pad(matrix, [[0, 0], [padding, 0], [padding, 0]]) + tf.cast(above, matrix.dtype)
