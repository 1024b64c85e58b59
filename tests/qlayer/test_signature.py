"""The rules for a QNode's signature, each with its message."""

import pennylane as qml
import pytest
import tensorflow as tf

from qlayer import KerasLayer, SignatureError
from qlayer.signature import check_signature, optional_shape, weight_shape

BROKEN = {
    "no inputs": (lambda x, w: None, {"x": 1, "w": 1}, "must have an argument named 'inputs'.*it has 'x', 'w'"),
    "no arguments": (lambda: None, {}, "must have an argument named 'inputs'.*no arguments"),
    "shape for the inputs": (lambda inputs: None, {"inputs": 2}, "gives a shape for 'inputs', which takes the inputs"),
    "missing shape": (lambda inputs, a, b: None, {"a": 1}, "there is none for 'b'"),
    "unknown weight": (
        lambda inputs, a: None,
        {"a": 1, "c": 1},
        "gives a shape for 'c', but the QNode's arguments are 'inputs', 'a'",
    ),
    "*args": (lambda inputs, *weights: None, {"weights": 1}, r"variable number of positional arguments \(\*weights\)"),
    "**kwargs": (
        lambda inputs, **weights: None,
        {"weights": 1},
        r"variable number of keyword arguments \(\*\*weights\)",
    ),
    "default": (lambda inputs, w=0.1: None, {"w": 1}, "'w' has one too"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rule_is_named(name):
    """Each broken rule is refused with what was found and what is allowed; upstream raised one of both kinds."""
    function, shapes, message = BROKEN[name]
    with pytest.raises(SignatureError, match=message) as error:
        check_signature(function, shapes, "inputs")
    assert isinstance(error.value, TypeError)
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize("name", BROKEN)
def test_layers_refuse_a_broken_rule(name):
    """A layer of such a QNode is refused when it is made, with the same message."""
    function, shapes, message = BROKEN[name]
    with pytest.raises(SignatureError, match=message):
        KerasLayer(qml.QNode(function, qml.device("default.qubit", wires=1)), shapes, output_dim=1)


def test_only_qnodes_become_layers():
    """A function that is no QNode is refused with how to make it one."""
    with pytest.raises(SignatureError, match=r"made of a QNode, not of .*lambda.* with @qml.qnode\(device\)"):
        KerasLayer(lambda inputs, weights: None, {"weights": 1}, output_dim=1)


def test_inputs_may_have_a_default_and_any_place():
    """The inputs may stand anywhere and have a default; they may also be named otherwise."""
    check_signature(lambda w, inputs=None: None, {"w": 3}, "inputs")
    check_signature(lambda w, x: None, {"w": 3}, "x")


@pytest.mark.parametrize(
    ("given", "expected"), [(1, ()), (3, (3,)), ((2, 3), (2, 3)), ([4], (4,)), ((1,), (1,)), ((), ())]
)
def test_weight_shape(given, expected):
    """An integer n is the shape (n,), 1 is a scalar, a sequence is itself."""
    assert weight_shape(given) == expected


@pytest.mark.parametrize("given", [0, -2, (3, 0), "12", None, 2.7, (2.5, 1), tf.TensorShape(None)])
def test_impossible_weight_shape(given):
    """What is no shape is refused with its value."""
    with pytest.raises(SignatureError, match="is no shape of a weight"):
        weight_shape(given)


MISUSED = {
    "weight_shapes None": (
        {"weight_shapes": None},
        r"weight_shapes is None, and must be a dictionary: give .* or \{\}",
    ),
    "weight_shapes list": ({"weight_shapes": [("w", 2)]}, r"weight_shapes is \[\('w', 2\)\], and must be a dictionary"),
    "weights of all kinds": ({"weight_shapes": {0: 1, "v": 1, "w": 2}}, "gives a shape for 0, 'v', but the QNode's"),
    "weight_specs list": ({"weight_specs": ["w"]}, r"weight_specs is \['w'\], and must be a dictionary"),
    "weight_specs of all kinds": ({"weight_specs": {0: {}, "v": {}}}, "weight_specs names 0, 'v', but the weights"),
    "specs None": ({"weight_specs": {"w": None}}, r"weight_specs\['w'\] is None, and must be a dictionary: give"),
    "specs string": ({"weight_specs": {"w": "zeros"}}, r"weight_specs\['w'\] is 'zeros', and must be a dictionary"),
    "shape in the specs": ({"weight_specs": {"w": {"shape": 3}}}, "gives a shape for 'w', and so does weight_shapes"),
    "seed": ({"seed": "a"}, "seed='a' is no seed for shots. Give an integer, or None"),
}


@pytest.mark.parametrize("name", MISUSED)
def test_misused_argument_is_named(name):
    """Arguments of a wrong kind are refused with their value and what to give."""
    arguments, message = MISUSED[name]
    qnode = qml.QNode(lambda inputs, w: qml.expval(qml.Z(0)), qml.device("default.qubit", wires=1))
    with pytest.raises(SignatureError, match=message):
        KerasLayer(qnode, **{"weight_shapes": {"w": 2}, "output_dim": 1, **arguments})


@pytest.mark.parametrize(("given", "expected"), [(None, None), (1, (1,)), (3, (3,)), ([2, 4], (2, 4)), ((), ())])
def test_optional_shape(given, expected):
    """An integer n is the shape (n,), also 1; None stays None."""
    assert optional_shape(given, "a sample") == expected


@pytest.mark.parametrize("given", [2.7, (0,), "12"])
@pytest.mark.parametrize("argument", ["output_dim", "sample_shape"])
def test_impossible_shape_of_an_argument(given, argument):
    """A layer refuses an output_dim and a sample_shape that are no shapes by name and value; 2.7 is not 2."""
    qnode = qml.QNode(lambda inputs: qml.expval(qml.Z(0)), qml.device("default.qubit", wires=1))
    with pytest.raises(SignatureError) as error:
        KerasLayer(qnode, {}, **{"output_dim": None, argument: given})
    assert str(error.value).startswith(f"{given!r} is no shape of a")
    assert f"({argument}). Give an integer, or a tuple of positive integers." in str(error.value)
