"""How long do a loss and its gradients take, by weights and inputs?

The loss is the sum of the squares of all outputs.
"""

from benchmarks.command import ask
from benchmarks.contenders import RIVALS, US
from benchmarks.question import Question, every_size, points

QUESTION = Question(
    name="gradient",
    title="Loss and gradients by weights and inputs",
    contenders=(US.name, *RIVALS),
    full=points("gradient", "abcd", every_size()),
    quick=(
        *points("gradient", "a", [(8, 32), (10, 1024), (12, 32)]),
        *points("gradient", "bcd", [(8, 32), (10, 1024)]),
    ),
    quick_contenders=(US.name, "pennylane-jax", "tensorcircuit-jax", "tfq"),
    quick_minutes=7.5,
)

if __name__ == "__main__":
    ask(QUESTION)
