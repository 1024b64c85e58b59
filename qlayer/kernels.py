"""Kernels: the TensorFlow operations that matrices are applied by.

Each kernel is chosen by the kind of a step, never by a gate. A complex matrix is applied to the real and imaginary
parts as one real matrix, because TensorFlow multiplies real matrices three times as fast.

Names of axes: b batch (or 1), n wires, s layers, t links of a chain, K = 2 ** k states of a block of k wires.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import tensorflow as tf

from qlayer.plan import Chain, Layer, VariableStep
from qlayer.register import PART, Register

# A layer is applied in blocks of neighbouring wires. Larger blocks need fewer passes over the state and more
# multiplications. Measured for registers of 8 to 20 wires (2 cores, batches of 1 to 1,024): blocks of four and five
# wires are the fastest, of six and seven up to twice as slow.
BLOCK_MAX_WIRES = 5


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
    count = -(-wire_count // BLOCK_MAX_WIRES)
    return [wire_count // count + (position < wire_count % count) for position in range(count)]


def block_matrices(matrices: tf.Tensor) -> list[list[tf.Tensor]]:
    """The Kronecker products over each block of wires.

    Args:
        matrices: shape (s, n, 2, 2).

    Returns:
        For each layer, for each block of k wires, the real matrix of shape (2 K, 2 K).
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
        real = real_matrices(_kronecker(tf.gather(matrices, wires, axis=1)))  # of (s, blocks of this size, size, 2, 2)
        whole = tf.reshape(real, [-1, len(begins), 2 ** (size + 1), 2 ** (size + 1)])
        products |= zip(begins, tf.unstack(whole, axis=1), strict=True)
    rows = [tf.unstack(products[start]) for start in starts[:-1]]
    return [list(blocks) for blocks in zip(*rows, strict=True)]


def _kronecker(matrices: tf.Tensor) -> tf.Tensor:
    """The Kronecker product over the third axis: (s, blocks, k, 2, 2) -> (s * blocks, K, K)."""
    count = matrices.shape[0] * matrices.shape[1]
    products = [tf.reshape(part, [count, 2, 2]) for part in tf.unstack(matrices, axis=2)]
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


def inverse_of_real(matrix: tf.Tensor) -> tf.Tensor:
    """The inverse of a unitary in the form of `real_matrices`: (2 K, 2 K) -> (2 K, 2 K)."""
    size = matrix.shape[0] // 2
    return tf.reshape(tf.transpose(tf.reshape(matrix, [size, 2, 2, size]), [3, 2, 1, 0]), [2 * size, 2 * size])


def apply_layer(register: Register, blocks: list[tf.Tensor]) -> Register:
    """Apply a layer to the joined register.

    Args:
        register: the register of n wires.
        blocks: for each block of wires, its real matrix of shape (2 K, 2 K).
    """
    sizes = blocks_of(register.wire_count)
    for start, size, block in zip(accumulate(sizes, initial=0), sizes, blocks, strict=False):
        register = apply_real_matrix(register, tuple(range(start, start + size)), block)
    return register


def apply_layer_to_wires(vectors: tf.Tensor, matrices: tf.Tensor) -> tf.Tensor:
    """Apply a layer to unentangled wires: (n, 2, b) and (n, 2, 2) -> (n, 2, b)."""
    return matrices[:, :, :1] * vectors[:, :1] + matrices[:, :, 1:] * vectors[:, 1:]


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
    ready, size = register.leading((PART, *wires)), real.shape[1]
    samples = tf.transpose(tf.reshape(ready.rows, [size, 2 * register.size // size, -1]), [2, 0, 1])
    products = tf.transpose(tf.matmul(real, samples), [1, 2, 0])
    return _after(ready, wires, products)


def apply_real_matrix(register: Register, wires: tuple[int, ...], matrix: tf.Tensor) -> Register:
    """Apply a matrix that all samples share, as `real_matrices` makes it, to some wires of the joined register."""
    ready = register.leading((PART, *wires))
    return _after(ready, wires, tf.matmul(matrix, tf.reshape(ready.rows, [matrix.shape[1], -1])))


def _after(ready: Register, wires: tuple[int, ...], products: tf.Tensor) -> Register:
    """The register whose leading bits, the part and some wires, became the wires and the part."""
    bits = (*wires, PART, *ready.bits[len(wires) + 1 :])
    return Register(tf.reshape(products, [2 * ready.size, -1]), bits)


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
