"""Reach: what a symbolic tensor depends on."""

import tensorflow as tf

from qlayer.angles.reach import reaches


def made_by(argument):
    """Whether an operation is the one that makes a tensor."""
    return lambda operation: operation is argument.op


def test_inputs_are_followed():
    """A tensor reaches what it is calculated from, over any number of steps, itself included, and nothing else."""
    with tf.Graph().as_default():
        first, second = (tf.compat.v1.placeholder(tf.float32, []) for _ in range(2))
        result = tf.sin(2 * first) + tf.sin(2 * first)
        other = result + second
    assert reaches(result, made_by(first))
    assert reaches(result, made_by(result))
    assert not reaches(result, made_by(second))
    assert not reaches(result, made_by(other))
    assert reaches(other, made_by(second))


def test_control_inputs_are_followed():
    """What must run first counts, also where its value is not used."""
    with tf.Graph().as_default():
        argument = tf.compat.v1.placeholder(tf.float32, [])
        with tf.control_dependencies([tf.debugging.check_numerics(argument, "")]):
            result = tf.identity(tf.constant(1.0))
    assert reaches(result, made_by(argument))
