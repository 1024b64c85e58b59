"""The request parameters of models with finite shots, the same in both protocols."""

from __future__ import annotations

from service.errors import InvalidValue
from service.front.codecs.json_text import excerpt

_MAX = {"seed": 2**63 - 1, "shots": 2**31 - 1}
_MIN = {"seed": -(2**63), "shots": 1}


def draw_of(parameters: object) -> dict[str, int | None]:
    """`seed` and `shots`, each None where it was not given.

    Args:
        parameters: what stood under that key of the request; other parameters are left alone.

    Raises:
        InvalidValue: one of them is no whole number, or out of its range.
    """
    if not isinstance(parameters, dict):
        return {"seed": None, "shots": None}
    return {name: _checked(name, parameters.get(name)) for name in _MAX}


def _checked(name: str, value: object) -> int | None:
    if value is None:
        return None
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not _MIN[name] <= value <= _MAX[name]:  # type: ignore[operator]  # a number, as just seen
        raise InvalidValue(
            f"parameter '{name}' is {excerpt(value)}, expected a whole number from {_MIN[name]} to {_MAX[name]}"
        )
    return value  # type: ignore[return-value]
