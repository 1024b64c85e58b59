"""How does time grow with depth? Circuit (a) of 1 to 100 layers on 8 wires, batch 32, loss and gradients."""

from benchmarks.command import ask
from benchmarks.contenders import US
from benchmarks.question import Question, points
from benchmarks.task import Task


def _depths(*depths: int) -> tuple[Task, ...]:
    return tuple(task for layers in depths for task in points("gradient", "a", [(8, 32)], layers))


QUESTION = Question(
    name="scaling_depth",
    title="Growth with depth, 8 wires, batch 32",
    contenders=(US.name, "pennylane-jax", "tensorcircuit-jax", "tfq", "lightning"),
    full=_depths(1, 3, 10, 30, 100),
    quick=_depths(1, 10, 30),
    quick_contenders=(US.name, "pennylane-jax"),
    quick_minutes=1.5,
    axis="layers",
)

if __name__ == "__main__":
    ask(QUESTION)
