"""The optimizer's state in a `.h5` file: Keras 3 writes it, and does not read it again."""

from __future__ import annotations

import os
from typing import Any

import h5py

from qlayer.errors import FormatError


def restore_optimizer(model: Any, path: str | os.PathLike[str]) -> None:
    """Give a model of Keras 3 that was loaded from a `.h5` file the optimizer it was saved with.

    Keras 3 builds the optimizer of such a model for no weights at all, so that it cannot train any model on. Keras 2,
    and `.keras` files, need no help.

    Args:
        model: the model, as `keras.models.load_model(path)` returns it.
        path: the file.

    Raises:
        FormatError: if there is no state of an optimizer for the model's weights in the file, or the model has none.
    """
    if getattr(model, "optimizer", None) is None:
        raise FormatError(
            f"the model has no optimizer to give the state in {os.fspath(path)!r} to: it was saved before it was "
            "compiled, or loaded with compile=False. Load it with keras.models.load_model(path), or call "
            "model.compile(...) with the optimizer it was saved with."
        )
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.build(model.trainable_variables)
    with h5py.File(path) as file:
        state = file.get("optimizer_weights")
        names = [] if state is None else list(state.attrs["weight_names"])
        if len(names) != len(optimizer.variables):
            raise FormatError(
                f"{os.fspath(path)!r} holds {len(names)} variables of an optimizer, and the model's has "
                f"{len(optimizer.variables)}. Give the file that the model was loaded from."
            )
        for variable, name in zip(optimizer.variables, names, strict=True):
            variable.assign(state[name][()])
    model.optimizer = optimizer
