"""Density matrices as registers of twice as many wires.

The matrix in row-major order is the amplitudes of a register whose first wires number its rows and whose last wires
number its columns. A gate U acts on the rows, and its complex conjugate on the columns (U rho U^dagger); a channel is
one matrix on the rows and the columns of its wires. So every step and kernel for statevectors serves for density
matrices.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from qlayer.circuits.circuit import Operation, Preparation
from qlayer.circuits.factors import Factor


def rows_and_columns(wires: Iterable[int], wire_count: int) -> tuple[int, ...]:
    """The wires that number the rows, then those that number the columns, of some wires."""
    rows = tuple(wires)
    return *rows, *(wire + wire_count for wire in rows)


def density_factors(factors: tuple[Factor, ...], wire_count: int, parameters: int) -> tuple[Factor, ...]:
    """What a product of factors does to the rows and to the columns of a density matrix of `wire_count` wires.

    Args:
        factors: the factors, in order of application.
        wire_count: number of wires.
        parameters: how many parameters the factors refer to.
    """
    columns = tuple(range(wire_count, 2 * wire_count))
    same = tuple(range(parameters))
    return *factors, *(factor.conjugate().on(columns, same) for factor in factors)


def on_density(operation: Operation, wire_count: int) -> Operation:
    """A channel on the rows and the columns of its wires."""
    return replace(operation, wires=rows_and_columns(operation.wires, wire_count))


def density_preparation(preparation: Preparation, wire_count: int) -> Preparation:
    """The preparation of a density matrix on its rows and columns."""
    return replace(preparation, wires=rows_and_columns(preparation.wires, wire_count))
