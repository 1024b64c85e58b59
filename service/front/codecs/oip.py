"""The documents of an inference in the Open Inference Protocol: the request without its tensors, and the answer.

A body is a JSON document, followed by the bytes of those tensors that are not in it; how long the document is stands in
a header. Unknown keys are left alone. The key fragments of the texts are Triton's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.engine.specs import DTYPES, NAMES, Array, Arrays, SignatureSpec
from service.errors import InvalidJson, InvalidRequest, NotSupported
from service.front.codecs import binary, raw
from service.front.codecs.classification import checked_classes, classify
from service.front.codecs.draw import draw_of
from service.front.codecs.json_text import dumps, excerpt, parse_object, plain
from service.front.codecs.oip_tensors import default_signature, unsigned
from service.front.codecs.tensors import as_pairs

_RESERVED = "triton_"
_OPTIONS = {"timeout", "priority", "seed", "shots"}
_US = 1e-6
_HALF_PAIR = re.compile("[\ud800-\udfff]")  # comes in as an escape, and cannot go out
_NOTHING: dict[str, Any] = {}


@dataclass(frozen=True)
class WantedOutput:
    """How one output is asked for: as bytes behind the document or in it, and as how many classes (0: as it is)."""

    is_binary: bool
    classes: int = 0


@dataclass(frozen=True)
class InferRequest:
    """An inference's body, parsed but not yet compared with a signature.

    Args:
        model: whom it asks, for messages.
        id: comes back with the answer.
        signature: by name.
        inputs: the tensors' documents.
        binary: the bytes behind the document.
        may_hold_booleans: whether true or false occurs anywhere in the document.
        outputs: those asked for by name; empty for all.
        default: how outputs are wanted that are not named.
        options: timeout_s, priority, seed and shots, as far as they were given.
    """

    model: str
    id: str | None
    signature: str
    inputs: list[dict[str, Any]]
    binary: memoryview
    may_hold_booleans: bool
    outputs: Mapping[str, WantedOutput]
    default: WantedOutput
    options: Mapping[str, Any]

    def wanted(self, spec: SignatureSpec) -> Mapping[str, WantedOutput]:
        """The outputs to answer, in this order.

        Raises:
            InvalidRequest: one is asked for that there is not.
        """
        for name in self.outputs:
            if name not in spec.outputs:
                raise InvalidRequest(
                    f"unexpected inference output '{name}' for model '{self.model}'; it has: {', '.join(spec.outputs)}"
                )
        return self.outputs or dict.fromkeys(spec.outputs, self.default)


@dataclass(frozen=True)
class InferAnswer:
    """An answer's body; `document_bytes` is the length of its document where something stands behind it."""

    body: bytes
    document_bytes: int | None


def parse_infer(
    body: bytes, declared: bytes | None, model: str, signatures: Mapping[str, SignatureSpec]
) -> InferRequest:
    """The request in a body.

    Args:
        body: document and bytes.
        declared: what the header says of the document's length; None where there is no such header.
        model: for messages.
        signatures: all that the model has.

    Raises:
        InvalidJson, InvalidRequest, InvalidValue: it is none.
        NotSupported: it names shared memory.
    """
    length = len(body) if declared is None else _length(declared, len(body))
    if length == 0 and declared is not None:
        body, length = raw.with_document(body, model, signatures)
    text = body if length == len(body) else body[:length]
    document = _parsed(text, declared)
    parameters = _parameters(document)
    _refuse_reserved(parameters)
    default = WantedOutput(_flag("binary_data_output", parameters.get("binary_data_output", False)))
    return InferRequest(
        model=model,
        id=_text("id", document.get("id")),
        signature=_text("signature_name", parameters.get("signature_name")) or default_signature(signatures),
        inputs=_tensors(document, "inputs"),
        binary=memoryview(body)[length:],
        may_hold_booleans=b"true" in text or b"false" in text,
        outputs={_name(tensor, "outputs"): _wanted(tensor, default) for tensor in _tensors(document, "outputs")},
        default=default,
        options=_options(parameters),
    )


def encode_infer(
    request: InferRequest, version: int, spec: SignatureSpec, outputs: Arrays, *, has_rows: bool
) -> InferAnswer:
    """The answer's body: the outputs asked for, each as the request wants it.

    Raises:
        InvalidRequest: an output cannot be written so.
    """
    documents: list[dict[str, Any]] = []
    buffers: list[bytes | memoryview] = []
    for name, wanted in request.wanted(spec).items():
        array, datatype = as_pairs(outputs[name]), DTYPES[NAMES[outputs[name].dtype]].oip
        if wanted.classes:
            array, datatype = classify(name, outputs[name], wanted.classes, has_rows=has_rows), "BYTES"
        tensor: dict[str, Any] = {"name": name, "datatype": datatype, "shape": array.shape}
        if wanted.is_binary:
            buffers.append(binary.encode(array))
            tensor["parameters"] = {"binary_data_size": len(buffers[-1])}
        else:
            tensor["data"] = _data(name, array)
        documents.append(tensor)
    answer: dict[str, Any] = {"model_name": request.model, "model_version": str(version)}
    if request.id:
        answer["id"] = request.id
    text = dumps({**answer, "outputs": documents})
    if not any(map(len, buffers)):
        return InferAnswer(text, None)
    return InferAnswer(b"".join([text, *buffers]), len(text))


def _length(declared: bytes, body_bytes: int) -> int:
    text = declared.decode("latin-1").strip()
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20):  # noqa: PLR2004 -- as many digits as 64 bits have
        raise InvalidRequest(f"Unable to parse Inference-Header-Content-Length, got: {text[:100]}")
    length = int(text)
    if not 0 <= length <= body_bytes:
        raise InvalidRequest(f"inference header size should be in range (0, {body_bytes}), got: {length}")
    return length


def _parsed(text: bytes, declared: bytes | None) -> dict[str, Any]:
    try:
        return parse_object(text)
    except InvalidJson as exc:
        hint = (
            " (without the header Inference-Header-Content-Length the whole body is JSON)" if declared is None else ""
        )
        raise InvalidJson(f"failed to parse the request JSON buffer: {exc.message}{hint}") from exc


def _tensors(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    tensors = document.get(key)
    if tensors is None and key == "outputs":
        return []
    if not isinstance(tensors, list) or not all(isinstance(tensor, dict) for tensor in tensors):
        raise InvalidRequest(f"Unable to parse '{key}': expected a list of objects, got: {excerpt(tensors)}")
    return tensors


def _name(tensor: dict[str, Any], key: str) -> str:
    name = tensor.get("name")
    if not isinstance(name, str):
        raise InvalidRequest(f"Unable to parse 'name' in '{key}': expected a string, got: {excerpt(name)}")
    return name


def _parameters(document: dict[str, Any]) -> dict[str, Any]:
    parameters = document.get("parameters")
    if parameters is None:
        return _NOTHING
    if not isinstance(parameters, dict):
        raise InvalidRequest(f"Unable to parse 'parameters': expected an object, got: {excerpt(parameters)}")
    return parameters


def _refuse_reserved(parameters: dict[str, Any]) -> None:
    for key in parameters:
        if key.startswith(_RESERVED):
            raise InvalidRequest(
                f"parameter keys starting with '{_RESERVED}' are reserved for Triton usage and should not be "
                f"specified, got: '{key[:100]}'"
            )


def _wanted(tensor: dict[str, Any], default: WantedOutput) -> WantedOutput:
    parameters = _parameters(tensor)
    if "shared_memory_region" in parameters:
        raise NotSupported("shared memory is not supported here: leave 'shared_memory_region' out")
    is_binary = _flag("binary_data", parameters.get("binary_data", default.is_binary))
    return WantedOutput(is_binary, checked_classes(parameters.get("classification", 0)))


def _options(parameters: dict[str, Any]) -> dict[str, Any]:
    """How it shall be computed, as keywords of Inference; 0 stands for what is usual."""
    if _OPTIONS.isdisjoint(parameters):
        return _NOTHING
    options = draw_of(parameters)
    timeout = unsigned("timeout", parameters.get("timeout", 0))
    priority = unsigned("priority", parameters.get("priority", 0))
    return {
        **{name: value for name, value in options.items() if value is not None},
        **({"timeout_s": timeout * _US} if timeout else {}),
        **({"priority": priority} if priority else {}),
    }


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"Unable to parse '{name}': expected true or false, got: {excerpt(value)}")
    return value


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or _HALF_PAIR.search(value):
        raise InvalidRequest(f"Unable to parse '{name}': expected a string, got: {excerpt(value)}")
    return value


def _data(name: str, array: Array) -> object:
    if array.dtype == object:
        try:
            return [item.decode() for item in array.flat]
        except UnicodeDecodeError as exc:
            raise InvalidRequest(
                f"output '{name}' has strings that are not UTF-8, which JSON cannot carry: ask for it with "
                "'binary_data' true"
            ) from exc
    return plain(array.reshape(-1))
