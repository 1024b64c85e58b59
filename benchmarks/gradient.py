"""How long do a loss and its gradients take, by weights and inputs?

The loss is the sum of the squares of all outputs.
"""

from benchmarks.command import ask
from benchmarks.contenders import RIVALS, US
from benchmarks.question import Question, every_size, points, usual_points

QUESTION = Question(
    name="gradient",
    title="Loss and gradients by weights and inputs",
    contenders=(US.name, *RIVALS),
    full=points("gradient", "abcd", every_size()),
    quick=usual_points("gradient"),
    quick_contenders=(US.name, "pennylane-jax", "tensorcircuit-jax", "tfq"),
    quick_minutes=8,
)

if __name__ == "__main__":
    ask(QUESTION)
