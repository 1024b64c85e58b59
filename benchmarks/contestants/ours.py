"""qlayer."""

import qlayer
from benchmarks.contestants.keras_model import KerasModel
from benchmarks.contestants.worker import main

if __name__ == "__main__":
    main(lambda: KerasModel(qlayer.KerasLayer, lambda model, folder: qlayer.export(model, folder)))
