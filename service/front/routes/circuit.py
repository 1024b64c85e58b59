"""Which circuits a model holds."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response

from service.front.card import read_card
from service.front.circuit import FORMS, form_asked, reply
from service.front.routes.access import Reader
from service.front.routes.verbs import without_verb
from service.front.target import target_of

router = APIRouter(prefix="/v1/models", tags=["models"], dependencies=[Depends(without_verb)])

_FORMATS = {
    "responses": {
        "200": {
            "description": "The circuits of the quantum layers",
            "content": {form.media_type.split(";")[0]: {} for form in FORMS.values()},
        }
    }
}
_Format = Annotated[str | None, Query(alias="format", description=f"one of {', '.join(FORMS)}; instead of Accept")]
_Layer = Annotated[str | None, Query(description="name of the one quantum layer to show; by default all are shown")]


@router.get("/{model}/circuit", summary="Circuits of a model", openapi_extra=_FORMATS)
@router.get("/{model}/versions/{version}/circuit", summary="Circuits of one version", openapi_extra=_FORMATS)
@router.get("/{model}/labels/{label}/circuit", summary="Circuits of a labelled version", openapi_extra=_FORMATS)
async def circuit(
    model: str,
    context: Reader,
    *,
    version: str | None = None,
    label: str | None = None,
    format_: _Format = None,
    layer: _Layer = None,
    accept: Annotated[str, Header()] = "*/*",
) -> Response:
    """From the circuit card that qlayer.export writes: as JSON, text, a picture, or an OpenQASM 3 program."""
    form = form_asked(format_, accept)
    found = context.registry.find(target_of(model, version, label))
    answer = await asyncio.to_thread(lambda: reply(read_card(found.directory), form, layer))
    return Response(answer.body, answer.status, answer.headers, answer.media_type)
