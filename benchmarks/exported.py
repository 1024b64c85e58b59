"""How long does one call of a served model take?

Ours: `qlayer.export`, then `tf.saved_model.load(...).signatures["serving_default"]`. PennyLane's KerasLayer is served
the same way, as the SavedModel that Keras writes. The others are compiled with their weights as constants, where they
can. "plain-keras" is the call of a SavedModel that does nothing: the floor of the first two.
"""

from benchmarks.command import ask
from benchmarks.contenders import RIVALS, US
from benchmarks.question import Question, every_size, points

CONTENDERS = (US.name, *RIVALS, "plain-keras")
SLOW = ("tensorcircuit-tf", "lightning")  # ten times as slow as the fastest rival, and half a minute a point to build
QUESTION = Question(
    name="exported",
    title="Forward of an exported model",
    contenders=CONTENDERS,
    full=points("exported", "abcd", every_size()),
    quick=(
        *points("exported", "abcd", [(8, 32), (8, 1024)]),
        *points("exported", "a", [(4, 1), (6, 1024), (12, 32)]),
        *points("exported", "abcd", [(10, 32), (10, 1024)]),
        *points("exported", "a", [(12, 1024)]),
    ),
    quick_contenders=tuple(name for name in CONTENDERS if name not in SLOW),
    quick_minutes=10,
)

if __name__ == "__main__":
    ask(QUESTION)
