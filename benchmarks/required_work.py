"""What the fused plan of a circuit of kind (a) cannot avoid: matrix products, and passes over memory.

The embedding and the first layer's rotations act on unentangled wires: they are free, but for writing the state. Each
further layer of rotations is one complex product for each block of wires, with a complex matrix of 2**k x 2**k that is
calculated as a real one of twice the size. Each layer of CNOTs is a permutation: one pass that reads and writes the
state; the last one is part of the readout.
"""

from __future__ import annotations

from dataclasses import dataclass

BLOCK_WIRES_MAX = 6  # the wires that one matrix acts on

_REAL_AND_IMAGINARY = 2
_BYTES = 4  # of a float32


@dataclass(frozen=True)
class Work:
    """Unavoidable work.

    Args:
        products: for each matrix product the rows of the state and the size of the square matrix, both real.
        passes: how often the state is read and written outside of products.
        state_bytes: of the batch of states.
    """

    products: tuple[tuple[int, int], ...]
    passes: int
    state_bytes: int

    @property
    def flops(self) -> int:
        """Floating-point operations of all products: a multiplication and an addition for each entry."""
        return sum(2 * rows * size * size for rows, size in self.products)

    @property
    def bytes(self) -> int:
        """Bytes moved by all passes: a read and a write each."""
        return 2 * self.passes * self.state_bytes


def required_work(wires: int, layers: int, batch: int) -> Work:
    """The work of AngleEmbedding and StronglyEntanglingLayers.

    Args:
        wires: number of wires.
        layers: number of entangling layers.
        batch: number of samples.
    """
    numbers = _REAL_AND_IMAGINARY * batch * 2**wires
    sizes = [_REAL_AND_IMAGINARY * 2**block for block in blocks(wires)]
    products = tuple((numbers // size, size) for _ in range(layers - 1) for size in sizes)
    return Work(products, passes=layers - 1, state_bytes=_BYTES * numbers)


def blocks(wires: int) -> list[int]:
    """Wires in as few blocks of at most BLOCK_WIRES_MAX as possible, of sizes as equal as possible."""
    count = -(-wires // BLOCK_WIRES_MAX)
    return [(wires + i) // count for i in range(count)]
