"""How does time grow with the batch? Circuit (a) on 8 wires, loss and gradients."""

from benchmarks.command import ask
from benchmarks.contenders import US
from benchmarks.question import Question, points

QUESTION = Question(
    name="scaling_batch",
    title="Growth with the batch, 8 wires",
    contenders=(US.name, "pennylane-jax", "tensorcircuit-jax", "tfq", "lightning"),
    full=points("gradient", "a", [(8, batch) for batch in (1, 4, 16, 64, 256, 1024, 4096, 16384)]),
    quick=points("gradient", "a", [(8, batch) for batch in (1, 64, 4096)]),
    quick_contenders=(US.name, "pennylane-jax"),
    quick_minutes=1,
    axis="batch",
)

if __name__ == "__main__":
    ask(QUESTION)
