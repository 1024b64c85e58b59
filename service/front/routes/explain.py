"""KServe's explain: there is no explainer."""

from __future__ import annotations

from typing import NoReturn

from service.errors import NotSupported
from service.front.context import Context
from service.front.hotpath import Asked
from service.front.routes.verbs import endpoint


async def answer(asked: Asked, _: Context) -> NoReturn:
    """Raises NotSupported, whatever is asked."""
    raise NotSupported(f"model {asked.target.name} has no explainer: this service predicts, ask with :predict")


EXPLAIN = endpoint("explain", answer)
