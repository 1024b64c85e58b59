"""Bad models, each uploaded to a real server: refused with its reason, and nothing of it happens or is left behind."""

import re

import archives
import httpx
import numpy as np
import processes
import pytest

PYTHON = "export with qlayer.export, or diff_method='backprop' on default.qubit"
TABLES = "Lookup tables, assets and datasets are not supported"

BAD = {
    # name: code, and a fragment of the text
    "python_file": ("unexpected_file", "'evil.py' is no file of a SavedModel"),
    "library": ("unexpected_file", "'variables/evil.so'"),
    "keras_file": ("unexpected_file", "'model.h5'"),
    "keras_archive": ("unexpected_file", "'model.keras'"),
    "pickle": ("assets_not_supported", "'assets/evil.pkl'"),
    "text_graph_too": ("unexpected_file", "'saved_model.pbtxt'"),
    "garbage_graph": ("malformed_graph", "saved_model.pb is damaged"),
    "truncated_graph": ("malformed_graph", "saved_model.pb is damaged"),
    "empty_graph": ("malformed_graph", "saved_model.pb holds no graph"),
    "graph_bomb": ("model_too_large", "saved_model.pb has 40 MiB and may have 32"),
    "many_nodes": ("model_too_large", "nodes, and may have 200000"),
    "tensorflow_1": ("unsupported_savedmodel", "it is of TensorFlow 1"),
    "two_graphs": ("unsupported_savedmodel", "it has 2 graphs"),
    "wrong_tags": ("unsupported_savedmodel", "['gpu', 'serve']"),
    "write_file": ("forbidden_op", "the operation WriteFile is not allowed"),
    "read_file": ("forbidden_op", "the operation ReadFile is not allowed"),
    "matching_files": ("forbidden_op", "MatchingFiles"),
    "text_lines": ("forbidden_op", "Datasets are not supported"),
    "immutable_constant": ("forbidden_op", "ImmutableConst"),
    "decode_proto": ("forbidden_op", "DecodeProtoV2"),
    "print_to_file": ("forbidden_op", "is not allowed"),
    "debug_identity": ("forbidden_op", "DebugIdentityV2"),
    "save_checkpoint": ("forbidden_op", "SaveV2"),
    "hidden_graph": ("forbidden_op", "is not allowed"),
    "py_function": ("forbidden_op", PYTHON),
    "numpy_function": ("forbidden_op", PYTHON),
    "parameter_shift": ("forbidden_op", PYTHON),
    "create_resource": ("unsupported_object", TABLES),
    "initialize_resource": ("unsupported_object", TABLES),
    "destroy_resource": ("unsupported_object", TABLES),
    "mutable_table": ("unsupported_object", TABLES),
    "restore_writes": ("unsupported_object", TABLES),
    "table": ("assets_not_supported", TABLES),
    "asset_absolute": ("assets_not_supported", TABLES),
    "asset_dotdot": ("assets_not_supported", TABLES),
    "hook_name": ("unsupported_object", "'_restore_from_tensors'"),
    "dunder_name": ("unsupported_object", "'__class__'"),
    "bad_reference": ("malformed_graph", "refers to object 99"),
    "negative_reference": ("malformed_graph", "refers to object -1"),
    "circle": ("malformed_graph", "in a circle"),
    "registered": ("unsupported_object", "must be registered"),
    "unknown_type": ("unsupported_object", "a type that is not known: 'evil'"),
    "saver_path": ("saver_not_standard", "has a path of its own"),
    "saver_called": ("saver_not_standard", "is used for something else"),
    "saver_called_by_name": ("saver_not_standard", "is used for something else"),
    "saver_named_in_text": ("saver_not_standard", "is used for something else"),
    "saver_writes": ("saver_not_standard", "uses the operation WriteFile"),
    "saver_in_objects": ("saver_not_standard", "is used for something else"),
    "saver_is_signature": ("saver_not_standard", "is used for something else"),
    "saver_fed_by_constant": ("saver_not_standard", "its path is made by the operation Const"),
    "named_after_evil_function": ("forbidden_op", "the operation WriteFile is not allowed"),
    "named_after_operation": ("forbidden_op", "a function has the name of an operation"),
    "unknown_operation": ("unknown_op", "the operation MyCustomOp is unknown"),
    "remote_device": ("unsupported_device", "'/job:evil/task:3'"),
    "own_executor": ("forbidden_op", "an executor or an optimizer of its own"),
    "graph_operation": ("forbidden_op", "allowed in functions only"),
    "crash": ("malformed_graph", "its values have another dtype"),
    "deep": ("model_crashed_loader", "SIGSEGV"),
    "constant_bomb": ("model_too_large", "a constant has 34359738368 bytes"),
    "constant_negative": ("malformed_graph", "its shape is none"),
    "constant_short": ("malformed_graph", "it has 3 bytes, and its shape needs 8"),
    "constant_overflow": ("model_too_large", "may have 256 MiB"),
    "constant_list": ("model_too_large", "may have 256 MiB"),
    "large_variable": ("corrupt_checkpoint", "the files below variables/ only"),
    "missing_function": ("malformed_graph", "'nobody', which is no function of the model"),
    "memory": ("model_out_of_memory", "more memory than it may have"),
    "refusing": ("warmup_failed", "never so"),
    "no_index": ("corrupt_checkpoint", "the model cannot be loaded"),
    "no_variables": ("corrupt_checkpoint", "the files below variables/ only 0"),
    "truncated_data": ("corrupt_checkpoint", "Read less bytes than requested"),
    "flipped_data": ("corrupt_checkpoint", "the model cannot be loaded"),
    "flipped_index": ("corrupt_checkpoint", "the model cannot be loaded"),
    "recursive": ("load_failed", "the model cannot be loaded"),
    "bad_attribute": ("load_failed", "the model cannot be loaded"),
    "missing_attribute": ("load_failed", "the model cannot be loaded"),
    "no_signatures": ("unsupported_signature", "has no signatures"),
    "resource_input": ("unsupported_signature", "dtypes that cannot be sent"),
    "undeclared_signature": ("unsupported_signature", "there but not declared"),
    "other_inputs": ("unsupported_signature", "declares other inputs than it takes"),
    "other_outputs": ("unsupported_signature", "declares other outputs than it gives"),
    "many_dimensions": ("model_too_large", "dimensions of an input or output, and may have 32"),
    "many_outputs": ("model_too_large", "inputs and outputs, and may have 1000"),
    "large_signature": ("model_too_large", "bytes of signatures, and may have 1048576"),
    "own_options": ("forbidden_op", "an executor or an optimizer of its own"),
    "own_rewriter": ("forbidden_op", "an executor or an optimizer of its own"),
}
SECRETS = re.compile(r"Traceback|\.staging|/tmp/|site-packages|\\n|\.py\", line")
ONLY_BASES = {"plain", "endless", "small_graph_bomb", "sentinels"}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_model_is_refused(upload, target, bad, name):
    """Each is 422 with its code and what to do, its program did not run, and the server is as before."""
    code, fragment = BAD[name]
    before = sorted(target[1].glob("[!.]*"))
    answer = upload(name, archives.zip_of(bad / name / "1"))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert fragment in answer.json()["error"]
    assert not SECRETS.search(answer.text)
    assert not list((bad / "sentinels").iterdir())
    assert sorted(target[1].glob("[!.]*")) == before
    assert upload.client.get(f"/v1/models/{name}").status_code == 404


def test_every_bad_model_is_in_the_table(bad):
    """What is built is tested."""
    assert {path.name for path in bad.iterdir()} == BAD.keys() | ONLY_BASES


def test_every_code_is_documented(pytestconfig):
    """Each code stands in the table of errors of docs/service.md, and in docs/security.md."""
    docs = pytestconfig.rootpath / "docs"
    [row] = re.findall(r"^\| 422 \|.*$", (docs / "service.md").read_text(), re.MULTILINE)
    security = (docs / "security.md").read_text()
    codes = {code for code, _ in BAD.values()} | {"warmup_timeout", "model_load_timeout", "missing_saved_model"}
    assert {code for code in codes if f"`{code}`" not in row or f"`{code}`" not in security} == set()


def test_all_findings_are_told(upload, bad):
    """The details name each thing with its rule, function and node, so that all can be mended at once."""
    details = upload("refused", archives.zip_of(bad / "hidden_graph" / "1")).json()["details"]
    operations = {re.search(r"operation (\w+) ", finding["message"])[1]: finding for finding in details}
    assert {"AsString", "Substr", "StringJoin", "DatasetFromGraph", "DatasetToSingleElement"} <= operations.keys()
    assert all((finding["rule"], finding["code"]) == ("S8", "forbidden_op") for finding in details)
    assert operations["DatasetFromGraph"]["node"] == "DatasetFromGraph"
    assert operations["DatasetFromGraph"]["function"].startswith("__inference_serving_")


def test_an_archive_without_a_graph_is_told_what_is_missing(upload, tmp_path):
    """A SavedModel in text form alone is none."""
    (tmp_path / "saved_model.pbtxt").write_text("")
    answer = upload("refused", archives.zip_of(tmp_path))
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_saved_model")


def _seconds(server, data):
    headers = {"Authorization": f"Bearer {processes.MANAGE_KEY}"}
    return httpx.put(f"{server.url}/v1/models/slow/versions/1", content=data, headers=headers, timeout=120)


@pytest.mark.parametrize("limit", ["--load-cpu-s", "--load-timeout-s"])
def test_an_endless_signature_is_ended(bad, tmp_path, limit):
    """A first call that never ends is ended by processor seconds, or by the clock."""
    with processes.Server(tmp_path, limit, "4") as server:
        server.wait_until("/healthz")
        answer = _seconds(server, archives.zip_of(bad / "endless" / "1"))
        assert (answer.status_code, answer.json()["code"]) == (422, "warmup_timeout"), answer.text
        assert not list((tmp_path / ".staging").iterdir())
        processes.wait_for(lambda: not processes.workers(server.process.pid))


HONEST = [
    "k2_saved",
    "k2_exported",
    "k2_recurrent",
    "k2_convolutional",
    "k2_attention",
    "k2_volumes",
    "k2_lambda",
    "qlayer_saved",
    "qlayer_exported",
    "qlayer_buckets",
    "qlayer_recurrent",
    "qlayer_sampled",
    "upstream",
    "module",
    "parsed",
    "calculating",
    "k3_exported",
    "k3_recurrent",
    "k3_convolutional",
    "k3_volumes",
    "k3_attention",
]


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_model_is_accepted(upload, target, honest, name):
    """Each is 201, predicts what it predicted where it was made, and is stored without what Keras would run."""
    pack = archives.tar_gz_of if len(name) % 2 else archives.zip_of
    answer = upload(name, pack(honest / name / "1"))
    assert answer.status_code == 201, answer.text
    stored = target[1] / name / "1"
    assert (stored / "saved_model.pb").exists()
    assert not (stored / "keras_metadata.pb").exists()
    assert not (honest / "k2_lambda" / "lambda-ran").exists()
    if (honest / f"{name}.npz").exists():
        known = np.load(honest / f"{name}.npz")
        predicted = upload.client.post(
            f"/v1/models/{name}:predict", json={"instances": known["inputs"].tolist()}
        ).json()
        np.testing.assert_allclose(predicted["predictions"], known["outputs"], atol=1e-5)
    assert upload.client.delete(f"/v1/models/{name}/versions/1").status_code in {200, 405}


def test_every_honest_model_is_in_the_table(honest):
    """What is built is tested."""
    assert {path.name for path in honest.iterdir() if path.is_dir()} == set(HONEST)
