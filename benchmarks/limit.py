"""How much of the machine do we use?

"products" and "passes" are nothing but the matrix products and the memory passes that the plan of circuit (a) cannot
avoid (`required_work`), run by TensorFlow on the same machine in the same run. The last column is the time of both
together, as a share of ours.
"""

from benchmarks.command import ask
from benchmarks.contenders import US
from benchmarks.question import Question, points

CONTENDERS = (US.name, "products", "passes")

QUESTION = Question(
    name="limit",
    title="How near the machine's limit",
    contenders=CONTENDERS,
    full=points("exported", "a", [(wires, batch) for batch in (32, 1024) for wires in (4, 6, 8, 10, 12, 14, 16)]),
    quick=points("exported", "a", [(8, 1024), (10, 1024), (12, 1024)]),
    quick_contenders=CONTENDERS,
    quick_minutes=1,
    comparison="limit",
)

if __name__ == "__main__":
    ask(QUESTION)
