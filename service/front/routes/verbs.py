"""Verbs: TensorFlow Serving's paths that end in a colon and what to do with the model."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from fastapi import Request

from service.errors import NotFound
from service.front.context import Context
from service.front.hotpath import Asked, Endpoint
from service.front.http.paths import refusal
from service.front.http.replies import Reply

_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"


def endpoint(verb: str, answer: Callable[[Asked, Context], Awaitable[Reply]]) -> Endpoint:
    """The endpoint of a verb, for a model, one of its versions, or one of its labels."""
    return Endpoint(
        suffix=f":{verb}",
        pattern=re.compile(f"{_MODEL}:{verb}", re.IGNORECASE),
        form=f"/v1/models/<name>[/versions/<number>|/labels/<label>]:{verb}",
        answer=answer,
    )


async def without_verb(request: Request) -> None:
    """A dependency of routes that have no verb, for which the framework would take a colon as a part of a name.

    Raises:
        MalformedRequest: there is one.
    """
    if any(":" in request.path_params.get(name, "") for name in ("model", "label")):
        raise refusal(request.scope, "there is no such verb; /docs, where it is served, lists what there is", NotFound)
