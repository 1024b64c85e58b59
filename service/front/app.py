"""The application: what lives as long as the server, the routes, and the error table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Lifespan

from service.engine import forkserver
from service.errors import MethodNotAllowed, ServiceError
from service.front.context import Context
from service.front.documentation import openapi
from service.front.hotpath import HotPath
from service.front.http.asgi import App
from service.front.http.bodies import ClientLeft
from service.front.http.paths import refusal
from service.front.http.replies import reply_to
from service.front.observability.logs import log_access
from service.front.observability.metrics import Metrics
from service.front.observability.traces import Traces
from service.front.registry.follower import following
from service.front.requests import Requests
from service.front.routes import circuit, documentation, management, oip, oip_logging, operations, repository, tfserving
from service.front.routes.classify import CLASSIFY, REGRESS
from service.front.routes.explain import EXPLAIN
from service.front.routes.infer import INFER
from service.front.routes.predict import PREDICT

HOT = (PREDICT, INFER, CLASSIFY, REGRESS, EXPLAIN)
"""Endpoints of the hot path."""

ROUTERS = (
    tfserving.router,
    circuit.router,
    oip.router,
    oip_logging.router,
    repository.router,
    management.router,
    operations.router,
    documentation.router,
)
"""All other routes."""

_METHODS = ("GET", "POST", "PUT", "DELETE")
"""Those of any route; HEAD is GET whose body is left out."""

_HANDLED = (ServiceError, HTTPException, RequestValidationError, Exception)


def create_app(context: Context) -> App:
    """The ASGI application that serves a context; its lifespan is that of all workers."""
    settings = context.settings
    traces = [Traces(settings.otlp_endpoint)] if settings.otlp_endpoint else []
    observers = [*([log_access] if settings.access_log else []), *(each.observe for each in traces)]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with forkserver.running():
            async with following(context.registry, context.settings.trash_keep_days):
                yield
        for each in traces:
            each.close()

    app = framework(context, lifespan)
    return Requests(HotPath(app, HOT, context), context, tuple(observers))


def framework(context: Context, lifespan: Lifespan[FastAPI] | None = None) -> FastAPI:
    """The part of the application that is FastAPI's: all routes but the hot ones."""
    settings = context.settings
    app = FastAPI(
        title="qlayer service",
        summary="Serves SavedModels: predictions in batches, shapes, versions, uploads.",
        version=metadata.version("qlayer"),
        lifespan=lifespan,
        redirect_slashes=False,
        servers=[{"url": settings.root_path}] if settings.root_path else None,
        openapi_url="/openapi.json" if settings.docs else None,
        docs_url=None,  # ours, in routes/documentation.py
        redoc_url=None,
    )
    app.state.context = context
    app.state.metrics = Metrics(context)
    for router in ROUTERS:
        if settings.docs or router is not documentation.router:
            app.include_router(router)
    for handled in _HANDLED:
        app.add_exception_handler(handled, _error_reply)
    app.add_exception_handler(ClientLeft, _no_reply)
    openapi.document(app)
    return app


async def _error_reply(request: Request, exc: Exception) -> Response:
    refused = _refused(request, exc)
    request.app.state.context.count(refused)
    reply = reply_to(refused)
    return Response(reply.body, reply.status, reply.headers, media_type="application/json")


def _refused(request: Request, exc: Exception) -> Exception:
    """The router's own complaints, below TensorFlow Serving's paths in its words."""
    if isinstance(exc, HTTPException) and exc.status_code in {404, 405}:
        hint = "there is nothing at this path for this method; /docs, where it is served, lists what there is"
        return refusal(request.scope, hint, lambda _: _with_methods(request, exc))
    return exc


def _with_methods(request: Request, exc: HTTPException) -> HTTPException:
    """The router's 405 with all methods that a path takes: its own has those of one route."""
    if exc.status_code != MethodNotAllowed.status:
        return exc
    routes = request.app.routes
    takes = [m for m in _METHODS if any(r.matches({**request.scope, "method": m})[0] is Match.FULL for r in routes)]
    return HTTPException(exc.status_code, exc.detail, {"Allow": ", ".join(takes)})


async def _no_reply(_request: Request, _exc: Exception) -> Response:
    """There is nobody to tell; the status is for the log."""
    return Response(status_code=ClientLeft.status)
