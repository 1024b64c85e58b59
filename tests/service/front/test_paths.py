"""One spelling of paths, and the answer to those that are none."""

import pytest

from service.errors import MalformedRequest, MethodNotAllowed, NotFound
from service.front.http.paths import below, normalized, refusal
from service.settings import BadSettings, read_settings

SPELLED = [
    ("/V1/MODELS/Name/VERSIONS/7/METADATA", "/v1/models/Name/versions/7/metadata"),
    ("/v1/models/Name/Labels/Stable:Predict", "/v1/models/Name/labels/Stable:predict"),
    ("/v1/models/Name:Shape", "/v1/models/Name:shape"),
    ("/v1/Models/NAME", "/v1/models/NAME"),
    ("/v1/models/A:B:Predict", "/v1/models/A:B:predict"),
    ("/V1", "/V1"),
    ("/V2/Models/M", "/V2/Models/M"),
    ("/", "/"),
]


@pytest.mark.parametrize(("path", "expected"), SPELLED)
def test_words_are_lower_and_names_as_they_are(path, expected):
    """Below /v1 every word but the names that people give is in lower case; elsewhere nothing changes."""
    scope = {"type": "http", "method": "GET", "path": path}
    assert normalized(scope)["path"] == expected
    assert scope["path"] == path


def test_head_is_get():
    """HEAD becomes GET, other methods stay."""
    assert normalized({"type": "http", "method": "HEAD", "path": "/"})["method"] == "GET"
    assert normalized({"type": "http", "method": "PUT", "path": "/"})["method"] == "PUT"


def test_other_connections_stay():
    """The server's start and end are no requests."""
    scope = {"type": "lifespan"}
    assert normalized(scope) is scope


@pytest.mark.parametrize(
    ("path", "elsewhere", "kind"),
    [
        ("/v1/x", NotFound, MalformedRequest),
        ("/V1/x", MethodNotAllowed, MalformedRequest),
        ("/v2/x", NotFound, NotFound),
        ("/v2/x", MethodNotAllowed, MethodNotAllowed),
    ],
)
def test_refusals(path, elsewhere, kind):
    """Below /v1 the error is TensorFlow Serving's, elsewhere the one given; the text is cut."""
    error = refusal({"method": "G" * 100, "path": path + "y" * 1000}, "hint", elsewhere)
    assert type(error) is kind
    assert error.message.startswith(f"Malformed request: {'G' * 20} {path}yyy")
    assert error.message.endswith("y; hint")
    assert len(error.message) < 300


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b", "/"),
        ("/a/b/", "/"),
        ("/a/b/v2/models", "/v2/models"),
        ("/a/b/a/b/x", "/a/b/x"),
        ("/a/bc/x", "/a/bc/x"),
        ("/A/b/x", "/A/b/x"),
        ("/x/a/b/x", "/x/a/b/x"),
        ("", ""),
    ],
)
def test_the_root_path_is_taken_away_once_and_whole(path, expected):
    """Only where it stands in front, as whole parts; a path without it stays."""
    scope = {"type": "http", "method": "GET", "path": path}
    assert below("/a/b", scope) == {**scope, "path": expected}
    assert scope["path"] == path


@pytest.mark.parametrize("root_path", ["", "/a", "/a/b-1", "/a.b/~c/_d", "/v10", "/a/v1x"])
def test_root_paths(tmp_path, root_path):
    """Parts of plain characters."""
    assert read_settings(["--models", str(tmp_path), f"--root-path={root_path}"]).root_path == root_path


@pytest.mark.parametrize("root_path", ["a", "/", "/a/", "//a", "/a b", "/a?b", "/%61", "/../a", "/é", "/v1", "/V2/a"])
def test_no_root_paths(tmp_path, root_path):
    """Nothing that a client or a proxy might spell in two ways, and none of the server's own."""
    with pytest.raises(BadSettings, match="root_path"):
        read_settings(["--models", str(tmp_path), f"--root-path={root_path}"])
