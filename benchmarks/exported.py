"""How long does one call of a served model take?

Ours: `qlayer.export`, then `tf.saved_model.load(...).signatures["serving_default"]`. PennyLane's KerasLayer is served
the same way, as the SavedModel that Keras writes. The others are compiled with their weights as constants, where they
can. "plain-keras" is the call of a SavedModel that does nothing: the floor of the first two.
"""

from benchmarks.command import ask
from benchmarks.contenders import RIVALS, US
from benchmarks.question import Question, every_size, points

CONTENDERS = (US.name, *RIVALS, "plain-keras")
QUESTION = Question(
    name="exported",
    title="Forward of an exported model",
    contenders=CONTENDERS,
    full=points("exported", "abcd", every_size()),
    quick=(
        *points("exported", "abcd", [(8, 32), (8, 1024)]),
        *points("exported", "abcd", [(10, 32), (10, 1024)]),
        *points("exported", "a", [(4, 1), (6, 1024), (12, 1024), (12, 32)]),
    ),
    quick_contenders=CONTENDERS,
    quick_minutes=10,
)

if __name__ == "__main__":
    ask(QUESTION)
