"""Forms: the one file in a multipart/form-data body, as browsers and `curl -F` send it, piece by piece."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from service.errors import InvalidRequest

_FIELDS_MAX_BYTES = 1 << 16
_PARTS_MAX = 32


def boundary_of(content_type: bytes) -> bytes | None:
    """The boundary of a form, from the Content-Type header; None for what is no form."""
    kind, options = parse_options_header(content_type)
    return options.get(b"boundary", b"") if kind == b"multipart/form-data" else None


class FormFile:
    """The file in a form.

    The mutable state is what the parser has found: in which part it is, the part's headers, pieces that nobody took.

    Args:
        body: of the request.
        boundary: between its parts.
    """

    def __init__(self, body: AsyncIterator[bytes], boundary: bytes) -> None:
        self.media_type = ""
        self._body = body
        self._pieces: deque[bytes] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = b"", b""
        self._files = self._parts = self._other_bytes = 0
        self._is_in_file = self._is_over = False
        self._parser = self._made_parser(boundary)

    async def start(self) -> None:
        """Read until the file begins, so that its `media_type` is known; raises InvalidRequest if it never does."""
        async for data in self._body:
            self._feed(data)
            if self._files:
                return
        raise InvalidRequest("the form has no file: send one, for example with curl -F file=@model.zip")

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file's content; raises InvalidRequest where the form breaks off or holds a second file."""
        while self._pieces:
            yield self._pieces.popleft()
        async for data in self._body:
            self._feed(data)
            while self._pieces:
                yield self._pieces.popleft()
        if not self._is_over:
            raise InvalidRequest("the form is cut off: its last boundary is missing")

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.write(data)
        except FormParserError as exc:
            raise InvalidRequest(f"the form cannot be read: {exc}") from exc

    def _made_parser(self, boundary: bytes) -> MultipartParser:
        callbacks: Any = {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_name,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add_data,
            "on_end": self._end,
        }
        try:
            return MultipartParser(boundary, callbacks)
        except FormParserError as exc:
            raise InvalidRequest(f"the form cannot be read: {exc}") from exc

    def _begin_part(self) -> None:
        self._headers, self._is_in_file = {}, False
        self._parts += 1
        if self._parts > _PARTS_MAX:
            raise InvalidRequest(f"the form has more than {_PARTS_MAX} parts")

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._count_other(end - start)

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._count_other(end - start)

    def _end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._is_in_file = b"filename" in options
        if self._is_in_file:
            self._files += 1
            kind, _ = parse_options_header(self._headers.get(b"content-type"))
            self.media_type = kind.decode("latin-1")
        if self._files > 1:
            raise InvalidRequest("the form has more than one file: send each in a form of its own")

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_in_file:
            self._pieces.append(data[start:end])
        else:
            self._count_other(end - start)

    def _count_other(self, size: int) -> None:
        """What is not the file is of no use, and must not fill the memory."""
        self._other_bytes += size
        if self._other_bytes > _FIELDS_MAX_BYTES:
            raise InvalidRequest(f"the form has more than {_FIELDS_MAX_BYTES} bytes beside its file")

    def _end(self) -> None:
        self._is_over = True
