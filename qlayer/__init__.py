"""Quantum circuits as Keras layers, compiled to pure TensorFlow."""

from qlayer._version import __version__ as __version__
from qlayer.errors import CaptureError as CaptureError
from qlayer.errors import ExecutionError as ExecutionError
from qlayer.errors import ExportError as ExportError
from qlayer.errors import FormatError as FormatError
from qlayer.errors import QLayerError as QLayerError
from qlayer.errors import ShapeError as ShapeError
from qlayer.errors import SignatureError as SignatureError
from qlayer.errors import UnsupportedError as UnsupportedError
from qlayer.export import export as export
from qlayer.layer import KerasLayer as KerasLayer
from qlayer.optimizer_state import restore_optimizer as restore_optimizer

__all__ = [
    "CaptureError",
    "ExecutionError",
    "ExportError",
    "FormatError",
    "KerasLayer",
    "QLayerError",
    "ShapeError",
    "SignatureError",
    "UnsupportedError",
    "__version__",
    "export",
    "restore_optimizer",
]
