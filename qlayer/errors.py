"""Everything qlayer raises on a user's mistake.

- QLayerError
    - SignatureError (a TypeError and a ValueError: PennyLane's own layer raised the one or the other): the QNode's
      signature, or the shapes given for it
    - CaptureError (a TypeError): the quantum function does something that cannot be recorded
    - UnsupportedError (a NotImplementedError): an operation or measurement that cannot be compiled, or what a device
      that is not compiled cannot do
    - ExecutionError (a RuntimeError): what PennyLane raised while it ran the QNode of a layer on the host
    - ShapeError (a ValueError): inputs, weights or outputs of a shape that does not fit, or complex where reals belong
    - FormatError (a ValueError): a saved circuit that this version cannot read
    - ExportError (a ValueError): a model that cannot be exported, or a path that it cannot be exported to
"""


class QLayerError(Exception):
    """The root: everything qlayer raises on a user's mistake."""

    __init__ = Exception.__init__  # autograph, which Keras 2 runs layers by, keeps the type of such errors only


class SignatureError(QLayerError, TypeError, ValueError):
    """The QNode's signature, or the shapes given for it, do not fit a layer."""


class CaptureError(QLayerError, TypeError):
    """The quantum function does what cannot be recorded: it asks for a value, or returns what it did not measure."""


class UnsupportedError(QLayerError, NotImplementedError):
    """What cannot be compiled to TensorFlow, or needs a circuit that is."""


class ExecutionError(QLayerError, RuntimeError):
    """What PennyLane or a device raised while it ran the QNode of a layer on the host."""


class ShapeError(QLayerError, ValueError):
    """Inputs, weights or outputs of a shape that does not fit the circuit, or complex where reals belong."""


class FormatError(QLayerError, ValueError):
    """A saved circuit that a newer version wrote, or none did."""


class ExportError(QLayerError, ValueError):
    """A model that cannot be exported, or a path that it cannot be exported to."""
