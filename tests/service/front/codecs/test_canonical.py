"""The canonical names of statuses."""

import pytest
from grpc import StatusCode

from service.errors import ServiceError
from service.front.codecs.canonical import _NAMES, canonical_name


@pytest.mark.parametrize("status", [*_NAMES, ServiceError.status])
def test_each_name_is_canonical(status):
    """Clients compare with the names that gRPC and TensorFlow share."""
    assert canonical_name(status) in StatusCode.__members__


@pytest.mark.parametrize(
    ("status", "name"), [(422, "INVALID_ARGUMENT"), (503, "UNAVAILABLE"), (500, "INTERNAL"), (599, "INTERNAL")]
)
def test_names_of_failures(status, name):
    """A model that is refused, one that cannot answer now, and what is the server's own fault."""
    assert canonical_name(status) == name
