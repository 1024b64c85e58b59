"""Questions for shapes: which output shapes follow from which input shapes."""

from __future__ import annotations

from typing import Any

from service.engine.specs import SignatureSpec
from service.errors import InvalidRequest, InvalidShape
from service.front.codecs.json_text import excerpt
from service.front.codecs.tensors import check_shape


def requested_shapes(document: dict[str, Any], spec: SignatureSpec) -> dict[str, list[int | None]]:
    """The input shapes in a request, by input; None is a free dimension.

    Args:
        document: `inputs`, shapes by name, or `input_shape` where the signature has one input; null and -1 are free.
        spec: the signature asked for.

    Raises:
        InvalidRequest: names are missing or unknown.
        InvalidShape: something is no shape, or one that its input cannot have.
    """
    asked = _asked(document, spec)
    shapes = {name: _checked(name, asked[name]) for name in spec.inputs}
    for name, shape in shapes.items():
        check_shape(name, tuple(shape), spec.inputs[name])
    return shapes


def _asked(document: dict[str, Any], spec: SignatureSpec) -> dict[str, Any]:
    names = ",".join(spec.inputs)
    if "input_shape" in document and len(spec.inputs) == 1:
        return {names: document["input_shape"]}
    asked = document.get("inputs")
    if not isinstance(asked, dict) or asked.keys() != spec.inputs.keys():
        raise InvalidRequest(
            f"expected 'inputs' with a shape for each of: {names} (or 'input_shape' where there is one input)"
        )
    return asked


def _checked(name: str, shape: object) -> list[int | None]:
    is_shape = isinstance(shape, list) and all(
        size is None or (isinstance(size, int) and not isinstance(size, bool) and size >= -1) for size in shape
    )
    if not is_shape:
        raise InvalidShape(
            f"input '{name}': {excerpt(shape)} is no shape; one is a list of sizes, null or -1 where free"
        )
    return [None if size == -1 else size for size in shape]  # type: ignore[attr-defined]  # a list, as just seen
