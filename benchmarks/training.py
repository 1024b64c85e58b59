"""How long does a forward pass take in training, with the weights as variables?"""

from benchmarks.command import ask
from benchmarks.contenders import RIVALS, US
from benchmarks.question import Question, every_size, points, usual_points

QUESTION = Question(
    name="training",
    title="Forward in training mode",
    contenders=(US.name, *RIVALS),
    full=points("training", "abcd", every_size()),
    quick=usual_points("training"),
    quick_contenders=(US.name, "pennylane-jax", "tensorcircuit-jax", "tfq"),
    quick_minutes=4.5,
)

if __name__ == "__main__":
    ask(QUESTION)
