"""tf.Examples written without TensorFlow, read by TensorFlow."""

import json

import processes
import pytest

from service.errors import ServiceError
from service.front.codecs.examples import parse_examples

FEATURES = {
    "number": 0.25,
    "numbers": [0.5, -1.5, 1e30],
    "whole": -(2**63),
    "wholes": [0, 1, 127, 128, 2**63 - 1, -1],
    "truths": [True, False, 3],
    "text": "θ",
    "texts": ["", "long" * 100, {"b64": "AP8="}],
    "empty": [],
    "": 1.0,
    "name " * 50: "x",
}


def _read(serialized):
    """The features of serialized tf.Examples, as TensorFlow reads them."""
    import tensorflow as tf

    def values(feature):
        kind = feature.WhichOneof("kind")
        return (kind, list(getattr(feature, kind).value)) if kind else (None, [])

    examples = [tf.train.Example.FromString(item) for item in serialized]
    return [{name: values(found) for name, found in example.features.feature.items()} for example in examples]


def _parsed(document):
    return parse_examples(json.dumps(document).encode())


def test_features_of_every_kind():
    """Numbers, whole numbers, booleans and strings, alone and in lists, arrive at TensorFlow as they were given."""
    request = _parsed({"examples": [FEATURES, {}], "signature_name": "s"})
    assert request.signature == "s"
    found, empty = processes.run_blocked(_read, list(request.examples))
    assert empty == {}
    assert found.pop("numbers") == ("float_list", pytest.approx([0.5, -1.5, 1e30]))
    assert found == {
        "number": ("float_list", [0.25]),
        "whole": ("int64_list", [-(2**63)]),
        "wholes": ("int64_list", [0, 1, 127, 128, 2**63 - 1, -1]),
        "truths": ("int64_list", [1, 0, 3]),
        "text": ("bytes_list", ["θ".encode()]),
        "texts": ("bytes_list", [b"", b"long" * 100, b"\0\xff"]),
        "empty": (None, []),
        "": ("float_list", [1.0]),
        "name " * 50: ("bytes_list", [b"x"]),
    }


def test_the_context_is_shared():
    """Every example has the features of the context, but where it has its own."""
    request = _parsed({"context": {"a": 1, "b": 2}, "examples": [{"c": 3}, {"b": 4}]})
    first, second = processes.run_blocked(_read, list(request.examples))
    assert {name: values for name, (_, values) in first.items()} == {"a": [1], "b": [2], "c": [3]}
    assert {name: values for name, (_, values) in second.items()} == {"a": [1], "b": [4]}


def test_the_bytes_are_those_of_protobuf():
    """One feature of each kind is written byte for byte as TensorFlow writes it."""

    def written(features):
        import tensorflow as tf

        kinds = {
            "f": tf.train.Feature(float_list=tf.train.FloatList(value=features["f"])),
            "i": tf.train.Feature(int64_list=tf.train.Int64List(value=features["i"])),
            "b": tf.train.Feature(bytes_list=tf.train.BytesList(value=[item.encode() for item in features["b"]])),
        }
        return [
            tf.train.Example(features=tf.train.Features(feature={name: kinds[name]})).SerializeToString()
            for name in features
        ]

    features = {"f": [0.1, -2.0], "i": [300, -7], "b": ["ab", ""]}
    ours = _parsed({"examples": [{name: values} for name, values in features.items()]})
    assert processes.run_blocked(written, features) == list(ours.examples)


REFUSED = [
    ({}, "key 'examples' is expected and was not found"),
    ({"examples": {}}, "Expecting 'examples' value to be an list/array"),
    ({"examples": []}, "'examples' value is an empty array"),
    ({"examples": [1]}, "Example must be JSON object but got JSON 1 (element 0 of 'examples')"),
    ({"examples": [{}, {"x": None}]}, "Feature: x has element with unexpected JSON type: null"),
    ({"examples": [{"x": [[1]]}]}, "Feature: x has element with unexpected JSON type: [1]"),
    ({"examples": [{"x": {"b65": "AA=="}}]}, 'Feature: x has element with unexpected JSON type: {"b65": "AA=="}'),
    ({"examples": [{"x": {"b64": 1}}]}, "Feature: x has element with unexpected JSON type"),
    ({"examples": [{"x": {"b64": "!"}}]}, "out of range or no base64"),
    ({"examples": [{"x": [1, 2.5]}]}, "Unexpected element type in feature: x expecting type: int64, found: 2.5"),
    ({"examples": [{"x": [0.5, 0]}]}, "Unexpected element type in feature: x expecting type: float, found: 0"),
    ({"examples": [{"x": [1, ""]}]}, 'Unexpected element type in feature: x expecting type: int64, found: ""'),
    ({"examples": [{"x": 2**63}]}, "out of range"),
    ({"examples": [{"x": 1e39}]}, "out of range"),
    ({"examples": [{}], "context": [1]}, "Example must be JSON object but got JSON [1] ('context')"),
    ({"examples": [{}], "signature_name": 1}, "'signature_name' key must be a string value."),
]


@pytest.mark.parametrize(("document", "fragment"), REFUSED)
def test_what_is_refused(document, fragment):
    """What is no list of examples, or no feature, is 400 and says where it stands."""
    with pytest.raises(ServiceError) as caught:
        _parsed(document)
    assert caught.value.status == 400
    assert fragment in caught.value.message
