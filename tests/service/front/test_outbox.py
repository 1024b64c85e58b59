"""What connections write in one turn of the event loop."""

import asyncio

from service.front.http.outbox import Outbox


class Transport:
    """Notes what is written and when it is closed."""

    def __init__(self, notes, name):
        self.notes, self.name, self.is_closed = notes, name, False

    def write(self, data):
        """Note it."""
        self.notes.append((self.name, data))

    def close(self):
        """Note it."""
        self.is_closed = True
        self.notes.append((self.name, "closed"))

    def is_closing(self):
        """Whether it was closed."""
        return self.is_closed


def story(steps):
    """What is written when some steps are taken in one turn, before its end and after it."""

    async def turn():
        notes = []
        outbox, loop = Outbox(), asyncio.get_running_loop()
        transports = {name: Transport(notes, name) for name in "ab"}
        steps(outbox, loop, transports)
        before = list(notes)
        await asyncio.sleep(0)
        return before, notes

    return asyncio.run(turn())


def test_replies_wait_for_the_end_of_the_turn():
    """Nothing is written while the turn lasts; then all of it is, in order, and what was the last is closed."""

    def steps(outbox, loop, transports):
        outbox.put(transports["a"], b"1", loop, is_last=False)
        outbox.put(transports["b"], b"2", loop, is_last=True)
        outbox.put(transports["a"], b"3", loop, is_last=False)

    assert story(steps) == ([], [("a", b"1"), ("b", b"2"), ("b", "closed"), ("a", b"3")])


def test_what_must_be_out_at_once_can_be():
    """A flush writes what waits, and nothing is written twice."""

    def steps(outbox, loop, transports):
        outbox.put(transports["a"], b"1", loop, is_last=False)
        outbox.flush()

    assert story(steps) == ([("a", b"1")], [("a", b"1")])


def test_a_connection_that_was_closed_takes_nothing():
    """A client that left in the same turn is not written to."""

    def steps(outbox, loop, transports):
        outbox.put(transports["a"], b"1", loop, is_last=False)
        transports["a"].close()

    assert story(steps) == ([("a", "closed")], [("a", "closed")])
