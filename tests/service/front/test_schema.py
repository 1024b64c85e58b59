"""The OpenAPI document against the server: random requests by the one, whose answers must be as it says."""

import httpx
import processes
import pytest
import schemathesis
from schemathesis import checks

EXAMPLE_MODEL = "moons"


@pytest.fixture(scope="module")
def asked(circuits, savedmodels, tmp_path_factory):
    folder = tmp_path_factory.mktemp("schema")
    import shutil
    shutil.copytree(circuits / "two", folder / "moons")
    shutil.copytree(savedmodels / "affine", folder / "affine")
    with processes.Server(folder) as server:
        server.wait_until("/readyz")
        yield server


@pytest.fixture(scope="module")
def document(asked):
    config = schemathesis.Config.from_dict({"generation": {"max-examples": 4, "deterministic": True, "no-shrink": True, "database": "none"},
       "phases": {"fuzzing": {"error-feedback": {"enabled": False}}},
    })
    return schemathesis.openapi.from_url(asked.url + "/openapi.json", config=config)

schema = schemathesis.pytest.from_fixture("document")

@schema.parametrize()
def test_api(case):
    """x."""
    case.call_and_validate(headers={"Authorization": f"Bearer {processes.MANAGE_KEY}"}, timeout=30, excluded_checks=[])
