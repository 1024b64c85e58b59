"""Types of parameters that several routes have.

Parts that only some of a route's paths have come from the path alone, so that no query can name them.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from pydantic import WithJsonSchema


def _version(request: Request) -> str | None:
    return request.path_params.get("version")


def _label(request: Request) -> str | None:
    return request.path_params.get("label")


VersionPart = Annotated[str | None, Depends(_version)]
LabelPart = Annotated[str | None, Depends(_label)]
Text = Annotated[str | None, WithJsonSchema({"type": "string"})]
"""In a query, where null cannot be spelled."""
