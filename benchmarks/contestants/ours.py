"""qlayer."""

from typing import Any

import qlayer
from benchmarks.contestants.keras_model import KerasModel
from benchmarks.contestants.worker import main


def _export(model: Any, folder: str) -> None:
    qlayer.export(model, folder)


if __name__ == "__main__":
    main(lambda: KerasModel(qlayer.KerasLayer, _export, "qlayer"))
