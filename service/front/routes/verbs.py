"""Verbs: TensorFlow Serving's paths that end in a colon and what to do with the model."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from service.front.context import Context
from service.front.hotpath import Asked, Endpoint
from service.front.replies import Reply

_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"


def endpoint(verb: str, answer: Callable[[Asked, Context], Awaitable[Reply]]) -> Endpoint:
    """The endpoint of a verb, for a model, one of its versions, or one of its labels."""
    return Endpoint(
        suffix=f":{verb}",
        pattern=re.compile(f"{_MODEL}:{verb}", re.IGNORECASE),
        form=f"/v1/models/<name>[/versions/<number>|/labels/<label>]:{verb}",
        answer=answer,
    )
