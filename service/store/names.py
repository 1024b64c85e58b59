"""Names of models and numbers of versions: checked before any path is built from them."""

from __future__ import annotations

import re

from service.errors import InvalidName, InvalidVersion

VERSION_MAX = 2**63 - 1
NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_-])?"
"""Pattern of a model's name."""
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?"
"""Pattern of a label."""
VERSION = r"[1-9][0-9]{0,18}"
"""Pattern of a version's number, which is at most VERSION_MAX beside."""

_NAME = re.compile(NAME)
_LABEL = re.compile(LABEL)
_VERSION = re.compile(VERSION)


def is_name(text: str) -> bool:
    """Whether a text can be a model's name."""
    return _NAME.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Whether a text can be a version's number: decimal, without leading zeros, from 1 to 2^63 - 1."""
    return _VERSION.fullmatch(text) is not None and int(text) <= VERSION_MAX


def checked_name(text: str) -> str:
    """The name, if it can be one.

    Raises:
        InvalidName: it cannot.
    """
    if not is_name(text):
        raise InvalidName(
            f"{text[:140]!r} cannot name a model: 1 to 128 letters, digits, '.', '_' or '-', no '.' at its ends"
        )
    return text


def checked_version(text: str) -> int:
    """The version's number, if the text can be one.

    Raises:
        InvalidVersion: it cannot.
    """
    if not is_version(text):
        raise InvalidVersion(
            f"{text[:40]!r} is no version: a whole number from 1 to {VERSION_MAX} without leading zeros"
        )
    return int(text)


def checked_label(text: str) -> str:
    """The label, if it can be one.

    Raises:
        InvalidName: it cannot.
    """
    if not _LABEL.fullmatch(text):
        raise InvalidName(f"{text[:80]!r} is no label: 1 to 64 letters, digits, '.', '_' or '-', no '.' at its ends")
    return text
