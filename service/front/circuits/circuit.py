"""The circuit of a model in each of its forms: JSON, text, SVG, OpenQASM 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from service.errors import CircuitNotFound, InvalidRequest
from service.front.circuits.card import FORMAT, Card, Layer, Operation
from service.front.circuits.drawing import draw
from service.front.http.replies import Reply

_PLAIN_TEXT = "text/plain; charset=utf-8"
_BY_ACCEPT = {"vary": "accept"}
_NO_SCRIPTS = _BY_ACCEPT | {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


@dataclass(frozen=True)
class Form:
    """A row of the table of forms.

    Args:
        name: as `format` in a query asks for it.
        accepted: the media types that ask for it, the wildcards too.
        media_type: of the answer.
        write: from the card to the answer's body.
        headers: of the answer.
    """

    name: str
    accepted: tuple[str, ...]
    media_type: str
    write: Callable[[Card], str | bytes]
    headers: Mapping[str, str]


def reply(card: Card, form: Form, layer: str | None) -> Reply:
    """A card's circuits in one form.

    Args:
        card: of the model.
        form: see FORMS.
        layer: the name of the only layer to show; None for all.

    Raises:
        CircuitNotFound: there is no such layer, or no layer at all.
        InvalidRequest: the form shows one layer and there are several.
    """
    names = ", ".join(found.name for found in card.layers) or "none"
    layers = tuple(found for found in card.layers if layer in {None, found.name})
    if not layers:
        raise CircuitNotFound(f"the model has no quantum layer '{layer or 'of any name'}'; its layers are: {names}")
    body = form.write(replace(card, layers=layers))
    return Reply(200, body if isinstance(body, bytes) else body.encode(), dict(form.headers), form.media_type)


def form_asked(format_: str | None, accept: str) -> Form:
    """The form that a request asks for.

    Args:
        format_: its `format`, which decides where it is given.
        accept: its header Accept; where nothing in it is known, JSON.

    Raises:
        InvalidRequest: no such format.
    """
    if format_ is not None:
        if format_ not in FORMS:
            raise InvalidRequest(f"format '{format_[:40]}' is none of: {', '.join(FORMS)}")
        return FORMS[format_]
    for media_type in _by_preference(accept):
        for form in FORMS.values():
            if media_type in form.accepted:
                return form
    return FORMS["json"]


def _by_preference(accept: str) -> list[str]:
    """The media types of an Accept header that are wanted, the most wanted first (RFC 9110, 12.5.1)."""
    ranked = []
    for item in accept.lower().split(","):
        media_type, *parameters = [part.strip() for part in item.split(";")]
        ranked.append((_quality(parameters), media_type))
    return [media_type for quality, media_type in sorted(ranked, key=lambda found: -found[0]) if quality > 0]


def _quality(parameters: list[str]) -> float:
    given = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
    try:
        return float(given[0]) if given else 1.0
    except ValueError:
        return 0.0


# ------------------------------------------------------------------------------------------------------------- forms


def _json(card: Card) -> bytes:
    newer = {"note": _newer(card)} if card.format > FORMAT else {}
    plain = {
        "format": card.format,
        "created_by": card.created_by,
        "versions": card.versions,
        "batch_sizes": card.batch_sizes,
        "layers": [vars(layer) | _lists(layer) for layer in card.layers],
    }
    return orjson.dumps(plain | newer)


def _lists(layer: Layer) -> dict[str, Any]:
    return {
        "operations": [_operation(found) for found in layer.operations],
        "measurements": [vars(found) for found in layer.measurements],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name,
        "wires": operation.wires,
        "angles": operation.angles,
        **({"controls": operation.controls} if operation.controls else {}),
        **({"adjoint": True} if operation.is_adjoint else {}),
    }


def _text(card: Card) -> str:
    """The drawings of the card under each other, titled where there are several."""
    pieces = [f"{layer.name}\n{layer.text}" if len(card.layers) > 1 else layer.text for layer in card.layers]
    return "\n\n".join(pieces) + "\n"


def _qasm(card: Card) -> str:
    if len(card.layers) > 1:
        names = ", ".join(layer.name for layer in card.layers)
        raise InvalidRequest(f"an OpenQASM program is of one layer: say which with ?layer=; there are: {names}")
    return card.layers[0].openqasm


def _svg(card: Card) -> str:
    return draw(card.layers, _newer(card) if card.format > FORMAT else None)


def _newer(card: Card) -> str:
    return f"format {card.format} of the circuit card is newer than this service knows ({FORMAT}): parts may be missing"


_ROWS = [
    Form("json", ("application/json", "application/*", "*/*"), "application/json", _json, _BY_ACCEPT),
    Form("svg", ("image/svg+xml", "image/*", "text/html"), "image/svg+xml", _svg, _NO_SCRIPTS),
    Form("text", ("text/plain", "text/*"), _PLAIN_TEXT, _text, _BY_ACCEPT),
    Form("qasm", ("text/x-openqasm", "text/x-qasm", "application/openqasm"), _PLAIN_TEXT, _qasm, _BY_ACCEPT),
]
FORMS = {row.name: row for row in _ROWS}
"""Browsers, which ask for text/html, are shown the picture."""
