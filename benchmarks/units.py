"""The units of tables and plots."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """How a measured number is shown.

    Args:
        label: for axes.
        scale: what the number, in seconds or bytes, is multiplied by.
    """

    label: str
    scale: float

    def show(self, number: float) -> str:
        """Three digits, and never an exponent."""
        shown = number * self.scale
        digits = max(0, 2 - len(str(int(shown)))) + (shown < 1)
        return f"{shown:,.{digits + 1 if shown < 100 else 0}f}"  # noqa: PLR2004 - three digits


UNITS = {
    "ms": Unit("milliseconds", 1e3),
    "s": Unit("seconds", 1),
    "GiB": Unit("GiB", 2**-30),
}
