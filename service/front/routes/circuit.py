"""Which circuits a model holds."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import WithJsonSchema

from service.front.circuits.card import read_card
from service.front.circuits.circuit import FORMS, form_asked, reply
from service.front.registry.target import target_of
from service.front.routes.access import Reader
from service.front.routes.documented import CIRCUIT
from service.front.routes.parts import LabelPart, Text, VersionPart
from service.front.routes.verbs import without_verb

router = APIRouter(prefix="/v1/models", tags=["models"], dependencies=[Depends(without_verb)])

_Format = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "enum": list(FORMS)}),
    Query(alias="format", description="instead of Accept"),
]
_Layer = Annotated[Text, Query(description="name of the one quantum layer to show; by default all are shown")]


@router.get("/{model}/circuit", summary="Circuits of a model", openapi_extra=CIRCUIT)
@router.get("/{model}/versions/{version}/circuit", summary="Circuits of one version", openapi_extra=CIRCUIT)
@router.get("/{model}/labels/{label}/circuit", summary="Circuits of a labelled version", openapi_extra=CIRCUIT)
async def circuit(
    model: str,
    context: Reader,
    *,
    version: VersionPart = None,
    label: LabelPart = None,
    format_: _Format = None,
    layer: _Layer = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "*/*",
) -> Response:
    """From the circuit card that qlayer.export writes: as JSON, text, a picture, or an OpenQASM 3 program."""
    form = form_asked(format_, accept)
    found = context.registry.look_up(target_of(model, version, label))
    answer = await asyncio.to_thread(lambda: reply(read_card(found.directory), form, layer))
    return Response(answer.body, answer.status, answer.headers, answer.media_type)
