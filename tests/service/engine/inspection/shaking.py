"""Random changes to a good saved_model.pb, and the static check after each; run where TensorFlow is imported."""

import pathlib
import shutil

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.protobuf import saved_model_pb2

from service.engine import inspection

TEXTS = st.sampled_from(["", "evil", "^evil", "a:0", "ReadFile", "saver_filename:0", "\x00" * 3, "x" * 999])
NUMBERS = st.sampled_from([0, 1, -1, 7, 25, (1 << 31) - 1])
VALUES = {str: TEXTS, bytes: TEXTS.map(str.encode), bool: st.booleans(), int: NUMBERS, float: st.floats()}


def shake(folder, workspace, count):
    """Inspect `count` changes of bytes and as many of fields; how often nothing was found, and how often something.

    Whatever the change, `inspect` returns, soon: an exception or ten seconds fail here.
    """
    folder = pathlib.Path(shutil.copytree(folder, pathlib.Path(workspace) / "model"))
    good = (folder / "saved_model.pb").read_bytes()
    found = [0, 0]
    quiet = settings(max_examples=count, deadline=10_000, database=None, suppress_health_check=list(HealthCheck))

    def inspect(content):
        (folder / "saved_model.pb").write_bytes(content)
        found[bool(inspection.inspect(folder, 32))] += 1

    quiet(given(st.data())(lambda data: inspect(_bytes_changed(data, good))))()
    quiet(given(st.data())(lambda data: inspect(_fields_changed(data, good))))()
    return found


def _bytes_changed(data, good):
    content = bytearray(good)
    for place in data.draw(st.lists(st.integers(0, len(good) - 1), max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    return bytes(content[: data.draw(st.sampled_from([None, -1, -20, 100, len(good) // 2]))])


def _fields_changed(data, good):
    saved = saved_model_pb2.SavedModel.FromString(good)
    for _ in range(data.draw(st.integers(1, 4))):
        try:
            _change(data, saved)
        except ValueError:
            continue  # a number that the field does not take
    return saved.SerializeToString()


def _change(data, message):
    """Go down from a message at random, and change what is found there."""
    fields = message.ListFields()
    if not fields:
        return
    field, value = data.draw(st.sampled_from(fields))
    if field.message_type and field.message_type.GetOptions().map_entry:
        _change_map(data, value)
    elif hasattr(value, "append"):
        _change_list(data, value)
    elif field.message_type and data.draw(st.integers(0, 9)):
        _change(data, value)
    elif field.message_type:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, data.draw(VALUES[type(value)]))


def _change_map(data, entries):
    key = data.draw(st.sampled_from(sorted(entries)))
    if hasattr(entries[key], "ListFields") and data.draw(st.integers(0, 9)):
        _change(data, entries[key])
    else:
        del entries[key]


def _change_list(data, items):
    place = data.draw(st.integers(0, len(items) - 1))
    how = data.draw(st.sampled_from(["change", "change", "remove", "double"]))
    if how == "remove":
        del items[place]
    elif how == "double":
        items.extend([items[place]])
    elif hasattr(items[place], "ListFields"):
        _change(data, items[place])
    else:
        items[place] = data.draw(VALUES[type(items[place])])
