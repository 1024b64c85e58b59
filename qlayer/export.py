"""Export: a Keras model as a SavedModel for serving."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from qlayer.errors import ExportError
from qlayer.exporting.card import FILE as CARD_FILE
from qlayer.exporting.card import card
from qlayer.exporting.serving import DEFAULT, Serving, bucket_name, serving
from qlayer.exporting.warmup import write_warmup
from qlayer.keras_compat import NAME, keras
from qlayer.layer import KerasLayer

Request = tuple[str, dict[str, np.ndarray]]


def export(
    model: Any, path: str | PathLike[str], *, batch_sizes: Sequence[int] = (), sample: Mapping[str, Any] | None = None
) -> None:
    """Write a model as a SavedModel for serving: its numbers, weights frozen, for plain TensorFlow.

    The SavedModel has the signature `serving_default`, whose inputs and outputs have the model's names; for each of
    `batch_sizes` the signature `batch_<size>`; and for circuits with finite shots the signature `sampled`, which also
    takes a `seed` and, where no result has an entry for each shot, the number of `shots`. In `assets.extra` it holds
    the circuit card and a warm-up request for TensorFlow Serving. Nothing can be trained: `model.save` writes what can.

    Args:
        model: a built Keras model, or a built KerasLayer alone.
        path: the folder to write; it must not exist. It appears when it is complete.
        batch_sizes: batch sizes to compile with XLA: for a server that fills its batches up to one of them.
        sample: for each input by name, rows to warm up with, shape (rows, ...); None for a row of ones, or of zeros
            where the model refuses ones.

    Raises:
        ExportError: if the path exists or cannot be written, the model is not built, or does what cannot be frozen.
        UnsupportedError: if a quantum layer runs on the host, or XLA is to compile one with finite shots.

    Example:
        >>> qlayer.export(model, "models/product/1")
    """
    folder = Path(path)
    if folder.exists() or folder.is_symlink():
        raise ExportError(f"{folder} is there already. Remove it, or export to another path: the next version, say.")
    prepared = serving(_as_model(model), batch_sizes)
    requests = _requests(prepared, sample)
    with _staging(folder) as staging:
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(tf.Module(), str(staging), signatures=prepared.signatures, options=options)
        write_warmup(staging, requests)
        text = json.dumps(card(prepared.layers, prepared.batch_sizes), indent=1, ensure_ascii=False)
        (staging / CARD_FILE).write_text(text, encoding="utf-8")


def _as_model(model: Any) -> Any:
    """The model; a KerasLayer alone becomes a model of one layer."""
    if isinstance(model, KerasLayer) and model.built:
        shape = model._known().sample_shape  # noqa: SLF001 - of our own layer
        return keras.Sequential([keras.Input(shape, dtype=model.compute_dtype, name=model.input_arg), model])
    if not isinstance(model, keras.Model):
        raise ExportError(
            f"{model!r} is no model of {NAME}, and no KerasLayer that was built. Export the "
            "model after it was called on inputs, or fitted."
        )
    return model


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A folder beside another one that takes its name when the block ends, and is removed if it fails."""
    staging = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        yield staging
        staging.rename(folder)
    except (OSError, tf.errors.OpError) as exc:
        raise ExportError(f"{folder} cannot be written: {exc}. Nothing was left there.") from exc
    finally:
        shutil.rmtree(staging, ignore_errors=True)


# ----------------------------------------------------------------------------------------------------------- warm-up


def _requests(prepared: Serving, sample: Mapping[str, Any] | None) -> list[Request]:
    """A request that runs for every signature without inputs beyond the model's own."""
    rows = _sample(prepared, sample)
    buckets = [
        (bucket_name(size), {name: _repeated(row, size) for name, row in rows.items()}) for size in prepared.batch_sizes
    ]
    for name, inputs in buckets:
        _run(prepared, name, inputs)
    return [(DEFAULT, rows), *buckets]


def _sample(prepared: Serving, sample: Mapping[str, Any] | None) -> dict[str, np.ndarray]:
    """Rows that the model runs on."""
    if sample is not None:
        rows = _given(prepared, sample)
        _run(prepared, DEFAULT, rows)
        return rows
    ones, zeros = ({spec.name: _filled(spec, value) for spec in prepared.inputs} for value in (1, 0))
    try:
        _run(prepared, DEFAULT, ones)
    except ExportError:
        _run(prepared, DEFAULT, zeros)
        return zeros
    return ones


def _given(prepared: Serving, sample: Mapping[str, Any]) -> dict[str, np.ndarray]:
    names = [spec.name for spec in prepared.inputs]
    if not isinstance(sample, Mapping) or set(sample) != set(names):
        found = list(sample) if isinstance(sample, Mapping) else type(sample).__name__
        raise ExportError(
            f"sample has {found}, and the inputs of the model are {names}. Give a dict with rows for each."
        )
    return {spec.name: np.asarray(sample[spec.name], spec.dtype.as_numpy_dtype) for spec in prepared.inputs}


def _filled(spec: tf.TensorSpec, value: int) -> np.ndarray:
    """One row of a single number; axes of any size have one element."""
    return np.full([size or 1 for size in spec.shape], value, spec.dtype.as_numpy_dtype)


def _repeated(rows: np.ndarray, size: int) -> np.ndarray:
    return np.resize(rows, (size, *rows.shape[1:]))


def _run(prepared: Serving, name: str, inputs: Mapping[str, np.ndarray]) -> None:
    """Run a signature once, so that what was exported is known to run.

    Raises:
        ExportError: naming the signature, and what to give.
    """
    try:
        prepared.signatures[name](*(tf.constant(inputs[spec.name]) for spec in prepared.inputs))
    except (tf.errors.OpError, TypeError, ValueError) as exc:
        raise ExportError(
            f"the signature {name!r} does not run on the rows it was tried with: {str(exc).partition(chr(10))[0]}. "
            "Give rows that fit the model as sample={...}, by the names of its inputs: "
            f"{[spec.name for spec in prepared.inputs]}."
        ) from exc
