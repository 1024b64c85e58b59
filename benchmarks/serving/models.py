"""The models that all servers serve, with rows to ask for and what TensorFlow answers to them.

python -m benchmarks.serving.models FOLDER      exports each into FOLDER/<name>/<name>/1, a folder of models of its own
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environments import ROOT, variables

FOLDER = ROOT / "build" / "benchmarks" / "serving" / "models"

_ROWS = 8192  # of which requests are made
_DECIMALS = 6  # of a feature: what a sensor or a table has
_SEED = 7
_CLASSES = 2
_LAYERS = 3


@dataclass(frozen=True)
class Model:
    """A hybrid model: a Dense layer, a circuit of angles and entangling layers, a Dense layer.

    Args:
        name: of its folder.
        wires: of the circuit; a row has as many features.
    """

    name: str
    wires: int


@dataclass(frozen=True)
class Reference:
    """What a model is asked, and what it must answer.

    Args:
        folder: of the SavedModel.
        input_name: of its only input.
        output_name: of its only output.
        rows: float32, shape [_ROWS, features].
        outputs: TensorFlow's own, shape [_ROWS, classes].
    """

    folder: Path
    input_name: str
    output_name: str
    rows: np.ndarray
    outputs: np.ndarray


MODELS = {model.name: model for model in (Model("q4", 4), Model("q10", 10), Model("q14", 14))}


def reference(name: str, folder: Path = FOLDER) -> Reference:
    """A model's rows and outputs; all models are exported first where one is missing.

    Args:
        name: a row of `MODELS`.
        folder: of the models.
    """
    kept = folder.parent / "references"
    if not (kept / f"{name}.json").exists():
        subprocess.run(
            [sys.executable, "-m", "benchmarks.serving.models", folder], env=variables(), cwd=ROOT, check=True
        )
    names = json.loads((kept / f"{name}.json").read_text(encoding="utf-8"))
    with np.load(kept / f"{name}.npz") as arrays:
        return Reference(_place(folder, name), **names, rows=arrays["rows"], outputs=arrays["outputs"])


def export_all(folder: Path) -> None:
    """Export every model, and keep what TensorFlow answers beside the folder."""
    os.environ.update({"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"})  # before TensorFlow is imported
    kept = folder.parent / "references"
    kept.mkdir(parents=True, exist_ok=True)
    for model in MODELS.values():
        print(f"exporting {model.name}: a circuit of {model.wires} wires between two Dense layers", flush=True)
        place = _place(folder, model.name)
        if not place.exists():
            _export(model, place)
        names, rows, outputs = _ask(place, model)
        np.savez(kept / f"{model.name}.npz", rows=rows, outputs=outputs)
        (kept / f"{model.name}.json").write_text(json.dumps(names), encoding="utf-8")


def _place(folder: Path, name: str) -> Path:
    return folder / name / name / "1"


def _export(model: Model, folder: Path) -> None:
    import pennylane as qml  # noqa: PLC0415 - in the exporting process only
    import tensorflow as tf  # noqa: PLC0415

    import qlayer  # noqa: PLC0415

    wires = range(model.wires)

    @qml.qnode(qml.device("default.qubit", wires=model.wires))
    def circuit(inputs: Any, weights: Any) -> Any:
        qml.AngleEmbedding(inputs, wires=wires)
        qml.StronglyEntanglingLayers(weights, wires=wires)
        return [qml.expval(qml.Z(wire)) for wire in wires]

    tf.keras.utils.set_random_seed(_SEED)
    layers = [
        tf.keras.layers.Input((model.wires,), name="x"),
        tf.keras.layers.Dense(model.wires),
        qlayer.KerasLayer(circuit, {"weights": (_LAYERS, model.wires, 3)}, output_dim=model.wires),
        tf.keras.layers.Dense(_CLASSES, activation="softmax", name="y"),
    ]
    qlayer.export(tf.keras.models.Sequential(layers), folder)


def _ask(folder: Path, model: Model) -> tuple[dict[str, str], np.ndarray, np.ndarray]:
    import tensorflow as tf  # noqa: PLC0415 - in the exporting process only

    rows = np.random.default_rng(_SEED).uniform(-1, 1, (_ROWS, model.wires)).round(_DECIMALS).astype(np.float32)
    loaded = tf.saved_model.load(folder)
    signature = loaded.signatures["serving_default"]
    (input_name,), (output_name,) = signature.structured_input_signature[1], signature.structured_outputs
    chunks = [signature(**{input_name: tf.constant(chunk)})[output_name].numpy() for chunk in np.split(rows, 64)]
    return {"input_name": input_name, "output_name": output_name}, rows, np.concatenate(chunks)


if __name__ == "__main__":
    export_all(Path(sys.argv[1]))
