"""The bare work of circuit (a)."""

import pytest

from benchmarks.required_work import BLOCK_WIRES_MAX, blocks, required_work


def test_work_of_twelve_wires_by_hand():
    """Two layers behind the first, of three blocks of four wires each: real matrices of 32 x 32, six passes."""
    work = required_work(wires=12, layers=3, batch=1)
    assert work.products == ((32, 32, 2 * 4096 // 32),) * 6
    assert work.flops == 6 * 2 * 32 * 32 * 256
    assert work.bytes == 6 * 2 * 4 * 2 * 4096


def test_work_of_four_wires_by_hand():
    """A polynomial of 81 products of features for each of four results, of which nine are made of the first inputs."""
    work = required_work(wires=4, layers=3, batch=8)
    assert work.products == ((4 * 9, 9, 8),)
    assert work.bytes == 2 * 4 * 4 * 9 * 8


def test_one_layer_is_free():
    """The embedding and the first layer act on unentangled wires."""
    work = required_work(wires=12, layers=1, batch=32)
    assert (work.flops, work.bytes) == (0, 0)


@pytest.mark.parametrize("wires", range(2, 21))
def test_blocks_cover_the_wires(wires):
    """All wires are in a block, and no block is larger than a matrix may be."""
    assert sum(blocks(wires)) == wires
    assert max(blocks(wires)) <= BLOCK_WIRES_MAX
    assert max(blocks(wires)) - min(blocks(wires)) <= 1


def test_work_grows_with_the_batch():
    """Twice the samples are twice the work."""
    one, two = (required_work(12, 3, batch) for batch in (512, 1024))
    assert two.flops == 2 * one.flops
    assert two.bytes == 2 * one.bytes
