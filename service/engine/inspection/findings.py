"""Findings: what the static check has against a SavedModel, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

TOLD_MAX = 20
_NAME_MAX_CHARS = 120


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        rule: its name in docs/security.md.
        code: the stable code of the refusal.
        message: what was found, what was expected, and what to do.
        function: the function it is in; empty for the graph itself, and where it is in none.
        node: the node, object or file it is about.
    """

    rule: str
    code: str
    message: str
    function: str = ""
    node: str = ""

    def to_plain(self) -> dict[str, Any]:
        """As plain data, without what is empty; names are shortened, since they are the uploader's."""
        place = {"function": shortened(self.function), "node": shortened(self.node)}
        return {
            "rule": self.rule,
            "code": self.code,
            "message": self.message,
            **{key: name for key, name in place.items() if name},
        }


def told(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """The first findings as plain data; of those that say the same only the first, with the number of the others."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.message), []).append(finding)
    return [_merged(group) for group in list(groups.values())[:TOLD_MAX]]


def summary(plain: list[dict[str, Any]], count: int) -> str:
    """One line for people: the first finding, where it is, and how many there are.

    Args:
        plain: what `told` gave; not empty.
        count: all findings.
    """
    first = plain[0]
    where = " of ".join(f"{kind} {first[kind]!r}" for kind in ("node", "function") if kind in first)
    others = f"; and {count - 1} more, see details" if count > 1 else ""
    return f"{first['message']}{f' ({where})' if where else ''}{others}"


def shortened(name: str) -> str:
    """A name of the uploader's, fit for one line of text."""
    printable = "".join(character if character.isprintable() else "?" for character in name[:_NAME_MAX_CHARS])
    return printable + ("..." if len(name) > _NAME_MAX_CHARS else "")


def _merged(group: list[Finding]) -> dict[str, Any]:
    others = {"others": len(group) - 1} if len(group) > 1 else {}
    return group[0].to_plain() | others
