"""The SavedModel on disk is all that the two halves share."""

import processes


def _serve_one_prediction(directory):
    """What a worker does with a model, without the process around it; and the front, in the same process."""
    import sys
    from pathlib import Path

    import numpy as np

    from service.engine.worker import Model
    from service.front import server

    model = Model(Path(directory), 1)
    model.warm_up()
    outputs = model.call("serving_default", {"dense_input": np.zeros([2, 4], np.float32)})
    ours = [
        name for name in sys.modules if name.split(".")[0] in {"qlayer", "pennylane", "tf_keras"} and sys.modules[name]
    ]
    return server.__name__, sorted(outputs.arrays), ours


def test_the_service_needs_neither_qlayer_nor_pennylane_nor_tf_keras(savedmodels):
    """A Keras model is served where none of these can be imported."""
    blocked = ("qlayer", "pennylane", "tf_keras")
    directory = str(savedmodels / "mlp" / "1")
    result = processes.run_blocked(_serve_one_prediction, directory, blocked=blocked)
    assert result == ("service.front.server", ["dense_1"], [])
