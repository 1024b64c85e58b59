"""How long does the first call take: building, tracing and compiling?

Circuit (a) at three layers, and at ten wires and 50 layers: 1,010 gates. Each process has compiled something before.
"""

from benchmarks.command import ask
from benchmarks.contenders import US
from benchmarks.question import Question, points

_SMALL = [(4, 32), (8, 32), (12, 32)]
_THOUSAND_GATES = (*points("training", "a", [(10, 32)], layers=50), *points("gradient", "a", [(10, 32)], layers=50))

QUESTION = Question(
    name="first_call",
    title="First call: build, trace and compile",
    contenders=(US.name, "pennylane-jax", "tensorcircuit-jax", "tensorcircuit-tf", "tfq", "upstream"),
    full=(*points("training", "abcd", _SMALL), *points("gradient", "abcd", _SMALL), *_THOUSAND_GATES),
    quick=(*points("training", "a", _SMALL[2:]), *points("gradient", "a", _SMALL[2:]), *reversed(_THOUSAND_GATES)),
    quick_contenders=(US.name, "pennylane-jax", "tensorcircuit-jax"),
    quick_minutes=4.5,
    mode="first call",
    value="first_call_s",
    unit="s",
    axis=None,
)

if __name__ == "__main__":
    ask(QUESTION)
