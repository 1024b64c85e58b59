"""Everything qlayer raises on a user's mistake.

- QLayerError
    - SignatureError (a TypeError): the QNode's signature, or the weight shapes given for it
    - CaptureError (a TypeError): the quantum function does something that cannot be recorded
    - UnsupportedError (a NotImplementedError): an operation, measurement or device that cannot be compiled
    - ShapeError (a ValueError): inputs, weights or outputs of a shape that does not fit, or complex where reals belong
    - FormatError (a ValueError): a saved circuit that this version cannot read
"""


class QLayerError(Exception):
    """The root: everything qlayer raises on a user's mistake."""

    __init__ = Exception.__init__  # autograph, which Keras 2 runs layers by, keeps the type of such errors only


class SignatureError(QLayerError, TypeError):
    """The QNode's signature, or the weight shapes given for it, do not fit a layer."""


class CaptureError(QLayerError, TypeError):
    """The quantum function does what cannot be recorded: it asks for a value, or returns what it did not measure."""


class UnsupportedError(QLayerError, NotImplementedError):
    """An operation, measurement or device that cannot be compiled to TensorFlow."""


class ShapeError(QLayerError, ValueError):
    """Inputs, weights or outputs of a shape that does not fit the circuit, or complex where reals belong."""


class FormatError(QLayerError, ValueError):
    """A saved circuit that a newer version wrote, or none did."""
