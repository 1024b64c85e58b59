"""Who may ask: the dependencies that check a request's key before anything of its body is read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from service.front.context import Context

_Authorization = Annotated[str | None, Header()]


def reader(request: Request, model: str | None = None, authorization: _Authorization = None) -> Context:
    """The context, for those who may ask about a model."""
    return _allowed(request, authorization, "read", model)


def manager(request: Request, model: str | None = None, authorization: _Authorization = None) -> Context:
    """The context, for those who may change a model."""
    return _allowed(request, authorization, "manage", model)


def _allowed(request: Request, authorization: str | None, scope: str, model: str | None) -> Context:
    context: Context = request.app.state.context
    request.state.caller = context.keys.check(authorization, scope, model)
    return context


Reader = Annotated[Context, Depends(reader)]
Manager = Annotated[Context, Depends(manager)]
