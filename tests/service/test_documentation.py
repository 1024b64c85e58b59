"""docs/service.md and the service's part of docs/architecture.md are complete."""

import re
from pathlib import Path

import pytest

from service import errors
from service.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "service.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text().partition("\n## service")[2]
MODULES = sorted(path.stem for path in (ROOT / "service").rglob("*.py") if path.stem != "__init__")
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


@pytest.mark.parametrize("module", sorted(set(MODULES)))
def test_every_module_has_its_place_in_the_table(module):
    """As often as there are modules of that name."""
    table = "\n".join(line for line in ARCHITECTURE.splitlines() if line.startswith("|"))
    assert len(re.findall(rf"(`|/){module}`", table)) >= MODULES.count(module)
