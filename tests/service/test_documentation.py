"""docs/service.md is complete."""

import re
from pathlib import Path

import pytest

from service import errors
from service.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "service.md").read_text()
ERRORS = [item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, errors.ServiceError)]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_as_declared(name):
    """Flag, default and meaning of each setting stand in the table."""
    field = Settings.model_fields[name]
    default = "required" if field.is_required() else "" if field.default is None else str(field.default)
    row = f"| `--{name.replace('_', '-')}` | {default} | {field.description} |"
    assert row.casefold() in PAGE.casefold()


@pytest.mark.parametrize("error", ERRORS, ids=[error.__name__ for error in ERRORS])
def test_every_error_is_documented(error):
    """Each code stands in the row of its status."""
    [row] = re.findall(rf"^\| {error.status} \|.*$", PAGE, re.MULTILINE)
    assert f"`{error.code}`" in row
