"""Inference by the Open Inference Protocol, on the hot path."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

from service.engine.specs import Arrays, SignatureSpec
from service.errors import ModelLoading, ModelNotFound, NotFound, ServiceError, Unavailable
from service.front.codecs.compression import best_coding, compress
from service.front.codecs.oip import InferAnswer, InferRequest, encode_infer, parse_infer
from service.front.codecs.oip_inputs import decode_inputs
from service.front.context import Context
from service.front.hotpath import Asked, Endpoint
from service.front.http.bodies import strict_coding
from service.front.http.replies import Reply
from service.front.models.empty import empty_outputs, is_empty
from service.front.models.inference import Inference, infer
from service.front.models.version import Version
from service.front.registry.target import Target

_LENGTH = b"inference-header-content-length"
_BINARY = "application/octet-stream"
_THREAD_BYTES = 256 * 1024
"""Replies from this size on are compressed beside the event loop: they take milliseconds."""


async def answer(asked: Asked, context: Context) -> Reply:
    """The outputs of a model; raises ServiceError for whatever is wrong with the request or the model."""
    version = await known(context, asked.target)
    with version.statistics.request():
        check_ready(version, asked.target)
        version.batcher.check_room()
        request = parse_infer(asked.body, asked.headers.get(_LENGTH), asked.target.name, version.signatures)
        spec = version.signature(request.signature)
        request.wanted(spec)
        inputs = decode_inputs(request, spec, context.settings.request_max_rows)
        outputs = await _outputs(version, spec, request, inputs, context.settings.request_timeout_s)
        answered = encode_infer(request, version.id.number, spec, outputs, has_rows=spec.has_rows)
        return await _reply(answered, asked.headers.get(b"accept-encoding"))


async def known(context: Context, target: Target) -> Version:
    """The version asked for, which may still be loading, or could not be loaded.

    Raises:
        ModelNotFound: there is none.
        NotFound, Unavailable: as `check_ready`; it was unloaded.
    """
    with unknown_named(target):
        try:
            return await context.registry.ready(target)
        except Unavailable as exc:
            raise _unready(target, context.registry.look_up(target), exc) from exc


@contextmanager
def unknown_named(target: Target) -> Iterator[Target]:
    """Within it a model that is not there is told so in Triton's words."""
    try:
        yield target
    except ModelNotFound as exc:
        number = "" if target.number is None else f" version {target.number}"
        raise ModelNotFound(
            f"Request for unknown model: '{target.name}'{number} is not found; GET /v2/models lists what there is"
        ) from exc


def check_ready(version: Version, target: Target) -> None:
    """Refuse to ask a version that cannot answer.

    Raises:
        NotFound: no version was asked for, and none could be loaded.
        ModelLoading, Unavailable: it is loading, or could not be loaded.
    """
    try:
        version.served_signatures()
    except (ModelLoading, Unavailable) as exc:
        raise _unready(target, version, exc) from exc


def _unready(target: Target, version: Version, exc: ServiceError) -> ServiceError:
    """Why a version does not answer, in Triton's words."""
    if isinstance(exc, ModelLoading) or target.number is not None:
        return type(exc)(f"'{version.id.name}' version {version.id.number} is not at ready state: {exc.message}")
    text = f"Request for unknown model: '{version.id.name}' has no available versions: {exc.message}"
    return NotFound(text, ModelNotFound.code)


async def found(context: Context, target: Target) -> Version:
    """The version asked for, which can answer; raises as `known` and `check_ready`."""
    version = await known(context, target)
    check_ready(version, target)
    return version


async def _outputs(
    version: Version, spec: SignatureSpec, request: InferRequest, inputs: Arrays, timeout_s: float
) -> Arrays:
    """Computed, or, for no rows, known without it."""
    options = dict(request.options)
    timeout_s = min(timeout_s, options.pop("timeout_s", timeout_s))
    if is_empty(spec, inputs):
        return await empty_outputs(version, request.signature, inputs, timeout_s)
    return await infer(version, Inference(request.signature, inputs, timeout_s, **options))


async def _reply(answered: InferAnswer, accepted: bytes | None) -> Reply:
    body, headers = answered.body, {}
    if answered.document_bytes is not None:
        headers[_LENGTH.decode()] = str(answered.document_bytes)
    coding = best_coding(accepted.decode("latin-1"), len(body)) if accepted else None
    if coding:
        headers |= {"content-encoding": coding, "vary": "accept-encoding"}
        is_large = len(body) >= _THREAD_BYTES
        body = await asyncio.to_thread(compress, body, coding) if is_large else compress(body, coding)
    media_type = "application/json" if answered.document_bytes is None else _BINARY
    return Reply(200, body, headers, media_type)


INFER = Endpoint(
    suffix="/infer",
    pattern=re.compile(r"/v2/models/(?P<name>[^/]+)(?:/versions/(?P<version>[^/]+))?/infer"),
    form=None,
    answer=answer,
    coding_of=strict_coding,
)
"""A path that does not look so may be the metadata of a model that is called `infer`."""
