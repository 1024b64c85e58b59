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
    quick=(*points("gradient", "abcd", [(8, 32), (10, 1024)]), *points("gradient", "a", [(6, 32), (12, 32)])),
    quick_contenders=(US.name, "pennylane-jax", "tensorcircuit-jax", "tfq"),
    quick_minutes=6,
)

if __name__ == "__main__":
    ask(QUESTION)
