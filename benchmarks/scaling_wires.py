"""How does time grow with the number of wires? Circuit (a), batch 32, loss and gradients."""

from benchmarks.command import ask
from benchmarks.contenders import US
from benchmarks.question import Question, points

QUESTION = Question(
    name="scaling_wires",
    title="Growth with wires, batch 32",
    contenders=(US.name, "pennylane-jax", "tensorcircuit-jax", "tfq", "lightning"),
    full=points("gradient", "a", [(wires, 32) for wires in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20)]),
    quick=points("gradient", "a", [(wires, 32) for wires in (2, 6, 10, 14)]),
    quick_contenders=(US.name, "pennylane-jax"),
    quick_minutes=1.5,
)

if __name__ == "__main__":
    ask(QUESTION)
