"""What the exported plan of a circuit of kind (a) cannot avoid: matrix products, and passes over memory.

Up to ten wires the plan is a trigonometric polynomial: one product of the coefficients with the features of half of the
inputs, and a pass that multiplies what comes out with the other features. Beyond, the embedding and the first layer's
rotations act on unentangled wires: they are free, but for writing the state. Each further layer of rotations is one
complex product for each block of wires, with a complex matrix of 2**k x 2**k that is calculated as a real one of twice
the size, and a pass that moves the next block to the front. Each layer of CNOTs is a permutation: one more pass; the
last one is part of the readout.
"""

from __future__ import annotations

from dataclasses import dataclass

POLYNOMIAL_WIRES_MAX = 10
FEATURES = 3  # of an angle: 1, its cosine and its sine
BLOCK_WIRES_MAX = 5  # the wires that one matrix acts on

_REAL_AND_IMAGINARY = 2
_BYTES = 4  # of a float32


@dataclass(frozen=True)
class Work:
    """Unavoidable work.

    Args:
        products: the sizes (m, k, n) of each real matrix product (m, k) by (k, n).
        passes: how often numbers are read and written outside of products.
        numbers: how many real numbers a pass reads and writes.
    """

    products: tuple[tuple[int, int, int], ...]
    passes: int
    numbers: int

    @property
    def flops(self) -> int:
        """Floating-point operations of all products: a multiplication and an addition for each entry."""
        return sum(2 * m * k * n for m, k, n in self.products)

    @property
    def bytes(self) -> int:
        """Bytes moved by all passes: a read and a write each."""
        return 2 * self.passes * _BYTES * self.numbers


def required_work(wires: int, layers: int, batch: int) -> Work:
    """The work of AngleEmbedding and StronglyEntanglingLayers, with an expectation value of every wire.

    Args:
        wires: number of wires.
        layers: number of entangling layers.
        batch: number of samples.
    """
    return _polynomial(wires, batch) if wires <= POLYNOMIAL_WIRES_MAX else _simulation(wires, layers, batch)


def _polynomial(wires: int, batch: int) -> Work:
    left = (wires + 1) // 2
    rows = wires * FEATURES ** (wires - left)
    return Work(((rows, FEATURES**left, batch),), passes=1, numbers=rows * batch)


def _simulation(wires: int, layers: int, batch: int) -> Work:
    numbers = _REAL_AND_IMAGINARY * batch * 2**wires
    sizes = [_REAL_AND_IMAGINARY * 2**block for block in blocks(wires)]
    products = tuple((size, size, numbers // size) for _ in range(layers - 1) for size in sizes)
    return Work(products, passes=(layers - 1) * len(sizes), numbers=numbers)


def blocks(wires: int) -> list[int]:
    """Wires in as few blocks of at most BLOCK_WIRES_MAX as possible, of sizes as equal as possible."""
    count = -(-wires // BLOCK_WIRES_MAX)
    return [(wires + i) // count for i in range(count)]
