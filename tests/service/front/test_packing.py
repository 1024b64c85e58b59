"""Copies of versions that are made while they are sent."""

import asyncio
import io
import os
import tarfile

import processes

from service.front.registry.packing import opened, packed


def test_many_copies_at_once_are_all_made(tmp_path):
    """More than there are threads, while the threads of everything else stay free."""
    content = os.urandom(300_000)
    (tmp_path / "saved_model.pb").write_bytes(content)

    async def copy():
        return b"".join([piece async for piece in packed(opened(tmp_path))])

    async def main():
        async with asyncio.timeout(30):
            copies = asyncio.gather(*(copy() for _ in range(40)))
            assert await asyncio.to_thread(os.getpid) == os.getpid()
            return await copies

    first, *others = asyncio.run(main())
    assert all(other == first for other in others)
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        assert archive.extractfile("saved_model.pb").read() == content


def test_a_client_that_leaves_ends_its_copy(tmp_path):
    """The files and the pipe are closed, and the thread is free."""
    (tmp_path / "saved_model.pb").write_bytes(os.urandom(3_000_000))

    async def main():
        for _ in range(20):
            pieces = packed(opened(tmp_path))
            assert await anext(pieces)
            await pieces.aclose()
        await asyncio.sleep(0.5)
        return processes.footprint(os.getpid())[1]

    before = processes.footprint(os.getpid())[1]
    assert asyncio.run(main()) <= before + 10
