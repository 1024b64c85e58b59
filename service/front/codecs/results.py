"""What classify and regress ask of a signature, and the JSON of their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from service.engine.specs import Array, Arrays, SignatureSpec
from service.errors import InvalidRequest
from service.front.codecs.json_text import dumps, plain
from service.front.codecs.tensors import shape_text

INPUT = "inputs"
"""The one input of such a signature: serialized tf.Examples."""


@dataclass(frozen=True)
class Method:
    """A row of the table of methods.

    Args:
        name: what a signature claims to serve, as its method_name.
        word: the same in messages.
        outputs: the outputs it may have, by name, with their dtypes; at least one of them, and no others.
        encode: from outputs and the number of examples to the answer's body; raises InvalidRequest.
    """

    name: str
    word: str
    outputs: dict[str, str]
    encode: Callable[[Arrays, int], bytes]

    def check(self, spec: SignatureSpec) -> None:
        """Refuse a signature that is not for this method.

        Raises:
            InvalidRequest: it is not.
        """
        if spec.method_name != self.name:
            raise InvalidRequest(
                f"Expected {self.word} signature method_name to be {self.name}. Was: {spec.method_name}; "
                "ask with :predict, or name another signature as 'signature_name'"
            )
        inputs = {name: tensor.dtype for name, tensor in spec.inputs.items()}
        outputs = {name: tensor.dtype for name, tensor in spec.outputs.items()}
        if inputs != {INPUT: "DT_STRING"} or not outputs or not outputs.items() <= self.outputs.items():
            raise InvalidRequest(
                f"Expected {self.word} signature to have one input '{INPUT}' of DT_STRING and outputs of "
                f"{self.outputs}. It has inputs {inputs} and outputs {outputs}"
            )


def _encode_classes(outputs: Arrays, rows: int) -> bytes:
    """For each example a list of pairs: label (empty where there are no classes) and score (0 where there are none)."""
    for array in outputs.values():
        if array.ndim != 2 or len(array) != rows:  # noqa: PLR2004 -- rows and classes
            raise InvalidRequest(f"Expected Tensor shape: [{rows} num_classes] but got {shape_text(array.shape)}")
    shapes = {array.shape for array in outputs.values()}
    if len(shapes) > 1:
        raise InvalidRequest(f"Tensors class and score should match in shape. Got {sorted(shapes)}")
    shape = shapes.pop()
    labels: Any = plain(outputs["classes"]) if "classes" in outputs else np.full(shape, "").tolist()
    scores = outputs.get("scores", np.zeros(shape, np.float32))
    return dumps({"results": [_pairs(*row) for row in zip(labels, scores, strict=True)]})


def _pairs(labels: list[str], scores: Array) -> list[list[object]]:
    return [[label, plain(scores[place, ...])] for place, label in enumerate(labels)]


def _encode_values(outputs: Arrays, rows: int) -> bytes:
    """For each example one number."""
    values = outputs["outputs"]
    if values.shape not in {(rows,), (rows, 1)}:
        raise InvalidRequest(
            f"Expected output Tensor shape to be either [{rows}] or [{rows},1] but got {shape_text(values.shape)}"
        )
    return dumps({"results": plain(values.reshape(rows))})


CLASSIFY = Method(
    "tensorflow/serving/classify", "classification", {"classes": "DT_STRING", "scores": "DT_FLOAT"}, _encode_classes
)
REGRESS = Method("tensorflow/serving/regress", "regression", {"outputs": "DT_FLOAT"}, _encode_values)
