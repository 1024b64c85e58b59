"""Published attacks on model files, uploaded to a real server."""

import archives
import pytest

ATTACKS = {
    # name: status, code, and what the text or a detail names
    "modelscan_codeinjection": (422, "forbidden_op", "WriteFile"),
    "dynamoscan": (422, "forbidden_op", "MatchingFiles"),
    "lambda_savedmodel": (201, None, "AVAILABLE"),
    "lambda_members": (422, "unexpected_file", "model.keras"),
    "module_import": (422, "unexpected_file", "model.keras"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_published_attack_does_nothing(upload, attacks, name):
    """Each is refused; a Lambda's Python, which the graph does not hold, is not even stored."""
    status, code, fragment = ATTACKS[name]
    answer = upload(f"attack-{name}", archives.zip_of(attacks / name / "1"))
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert fragment in answer.text
    assert not list((attacks / "sentinels").iterdir())


@pytest.mark.parametrize("file", ["model.h5", "model.keras"])
def test_a_file_of_keras_is_no_savedmodel(upload, attacks, file):
    """A .keras file is a zip, and an .h5 file is none: neither is a SavedModel."""
    answer = upload("attack-file", (attacks / "lambda_members" / "1" / file).read_bytes())
    assert (answer.status_code, answer.json()["code"]) in {(422, "missing_saved_model"), (422, "bad_archive")}
