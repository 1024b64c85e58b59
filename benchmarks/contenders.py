"""Who takes part: a table."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.environments import OURS


@dataclass(frozen=True)
class Contender:
    """A program that answers the driver.

    Args:
        name: short, for tables and plots.
        environment: where it runs: `environments.OURS`, or a file in benchmarks/environments.
        module: its file in benchmarks/contestants.
        arguments: for that program.
        is_rival: whether it computes the same as we do, so that its numbers must agree with ours and its time is
            compared with ours; a floor or a limit does not.
    """

    name: str
    environment: str
    module: str
    arguments: tuple[str, ...] = ()
    is_rival: bool = True


US = Contender("qlayer", OURS, "ours", is_rival=False)

_OTHERS = (
    Contender("pennylane-jax", "pennylane-jax", "pennylane_jax"),
    Contender("tensorcircuit-jax", "tensorcircuit", "tensorcircuit", ("jax",)),
    Contender("tensorcircuit-tf", "tensorcircuit", "tensorcircuit", ("tensorflow",)),
    Contender("tfq", "tfq", "tfq"),
    Contender("upstream", "upstream", "upstream"),
    Contender("lightning", "lightning", "lightning"),
    Contender("plain-keras", OURS, "plain_keras", is_rival=False),
    Contender("products", OURS, "bare_work", ("products",), is_rival=False),
    Contender("passes", OURS, "bare_work", ("passes",), is_rival=False),
)

CONTENDERS: dict[str, Contender] = {contender.name: contender for contender in (US, *_OTHERS)}
RIVALS = tuple(contender.name for contender in _OTHERS if contender.is_rival)
