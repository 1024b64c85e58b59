"""How much memory does a process need at most, for one call?

Each point has a process of its own; what its libraries take before the first circuit is part of it.
"""

from benchmarks.command import ask
from benchmarks.contenders import US
from benchmarks.question import Question, points

_QUESTIONS = ("training", "gradient")

QUESTION = Question(
    name="memory",
    title="Peak memory of a process",
    contenders=(US.name, "pennylane-jax", "tensorcircuit-jax", "tfq"),
    full=tuple(task for q in _QUESTIONS for task in points(q, "a", [(12, 1024), (16, 1024), (20, 32), (20, 1024)])),
    quick=tuple(task for q in _QUESTIONS for task in points(q, "a", [(20, 1024)])),
    quick_contenders=(US.name, "pennylane-jax"),
    quick_minutes=3,
    mode="memory",
    value="peak_bytes",
    unit="GiB",
    axis=None,
    prepare_limit_s=240,
)

if __name__ == "__main__":
    ask(QUESTION)
