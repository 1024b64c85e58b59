"""How long do saving, exporting and loading take?

"save" is `model.save`, "load" is `load_model` of it; "export" is `qlayer.export` (upstream: `model.save` again), and
"load-exported" is `tf.saved_model.load` of that.
"""

from benchmarks.command import ask
from benchmarks.contenders import US
from benchmarks.question import Question, points

_WAYS = ("save", "export", "load", "load-exported")

QUESTION = Question(
    name="saving",
    title="Saving and loading",
    contenders=(US.name, "upstream"),
    full=tuple(task for way in _WAYS for task in points(way, "abcd", [(4, 1), (8, 1), (12, 1)])),
    quick=tuple(task for way in _WAYS for task in points(way, "a", [(12, 1)])),
    quick_contenders=(US.name,),  # each of upstream's takes minutes
    quick_minutes=3.5,
    mode="calls",
    unit="s",
    axis=None,
)

if __name__ == "__main__":
    ask(QUESTION)
