"""How long does the moons example of the former KerasLayer take: 8 epochs of batches of 5, build and tracing included?

"plain-keras" is the same model with a Dense layer in place of the circuit.
"""

from benchmarks.command import ask
from benchmarks.contenders import US
from benchmarks.question import Question, points

CONTENDERS = (US.name, "upstream", "plain-keras")
_MOONS = points("moons", "a", [(2, 5)])

QUESTION = Question(
    name="moons",
    title="The moons example, tracing included",
    contenders=CONTENDERS,
    full=_MOONS,
    quick=_MOONS,
    quick_contenders=CONTENDERS,
    quick_minutes=1.5,
    mode="first call",
    value="first_call_s",
    unit="s",
    axis=None,
)

if __name__ == "__main__":
    ask(QUESTION)
