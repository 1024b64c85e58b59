"""Which form of a circuit is asked for."""

import pytest

from service.errors import InvalidRequest
from service.front.circuits.circuit import FORMS, form_asked

ACCEPTED = [
    ("*/*", "json"),
    ("", "json"),
    ("application/json", "json"),
    ("image/svg+xml", "svg"),
    ("image/*", "svg"),
    ("text/plain", "text"),
    ("TEXT/PLAIN; charset=utf-8", "text"),
    ("text/x-openqasm", "qasm"),
    ("text/plain;q=0.5, image/svg+xml;q=0.9", "svg"),
    ("text/plain, application/json", "text"),
    ("application/pdf, text/plain;q=0.1", "text"),
    ("application/json;q=0, text/plain;q=0.1", "text"),
    ("image/svg+xml;q=high, text/plain;q=0.1", "text"),
    ("application/pdf", "json"),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "svg"),
]


@pytest.mark.parametrize(("accept", "name"), ACCEPTED)
def test_accept(accept, name):
    """The most wanted of the media types that are known decides; JSON where none is."""
    assert form_asked(None, accept).name == name


@pytest.mark.parametrize("name", FORMS)
def test_format_decides(name):
    """What stands in the query wins over the header."""
    assert form_asked(name, "application/json, image/*").name == name


def test_unknown_formats():
    """A format that there is not is refused, with those that there are."""
    with pytest.raises(InvalidRequest, match="format 'png' is none of: json, svg, text, qasm"):
        form_asked("png", "*/*")
