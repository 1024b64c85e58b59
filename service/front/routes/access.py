"""Who may ask: the dependencies that check a request's key before anything of its body is read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from service.front.context import Context
from service.front.http.exchange import note_caller


def lister(request: Request) -> Context:
    """The context, for routes that name no model and show each caller what `context.keys.visible` lets it see."""
    return _allowed(request, "list")


def reader(request: Request) -> Context:
    """The context, for those who may ask about a model, or on a path without one about all."""
    return _allowed(request, "read")


def watcher(request: Request) -> Context:
    """As `reader`, for what is asked again and again whether all is well: no limit of requests counts it."""
    return _allowed(request, "read", is_limited=False)


def manager(request: Request) -> Context:
    """The context, for those who may change a model, or on a path without one all of them."""
    return _allowed(request, "manage")


def uploader(request: Request) -> Context:
    """The context, for those who may change a model and have not done so too often."""
    context = _allowed(request, "manage")
    context.keys.check_upload(request.state.caller)
    return context


def _allowed(request: Request, scope: str, *, is_limited: bool = True) -> Context:
    context: Context = request.app.state.context
    model = request.path_params.get("model")  # of the path only: a query could name another model than the path acts on
    peer = request.client.host if request.client else ""
    caller = context.keys.check(request.headers.get("authorization"), scope, model, peer, is_limited=is_limited)
    request.state.caller = caller
    note_caller(caller, model)
    return context


Lister = Annotated[Context, Depends(lister)]
Reader = Annotated[Context, Depends(reader)]
Watcher = Annotated[Context, Depends(watcher)]
Manager = Annotated[Context, Depends(manager)]
Uploader = Annotated[Context, Depends(uploader)]
