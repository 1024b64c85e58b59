"""SavedModels with quantum layers for the service's tests, written by qlayer.export in a process of its own."""


def build(folder, names):
    """Build models by name into folder/<name>/1; runs in a child process, so it brings its imports."""
    import os
    import pathlib
    import sys

    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 -- the packages under test, where the tests run
    import pennylane as qml
    import tf_keras

    import qlayer

    folder = pathlib.Path(folder)

    def layer(function, weights, name, *, shots=None, wires=2, outputs=2):
        node = qml.QNode(function, qml.device("default.qubit", wires=wires), shots=shots)
        return qlayer.KerasLayer(node, weights, outputs, name=name)

    def save(name, *layers, features=2):
        tf_keras.utils.set_random_seed(3)
        inputs = tf_keras.Input([features], name="x")
        outputs = [layer(inputs) for layer in layers]
        qlayer.export(tf_keras.Model(inputs, outputs), folder / name / "1")

    def gates(inputs, weights):
        qml.Hadamard("a")
        qml.RX(inputs[0], "a")
        qml.RY(2 * inputs[1], "b")
        qml.RZ(qml.numpy.pi / 4, "c")
        qml.Rot(*weights[0], "a")
        qml.CNOT(["a", "c"])
        qml.CZ(["b", "c"])
        qml.Toffoli(["a", "b", "<d>"])
        qml.ctrl(qml.adjoint(qml.T("<d>")), control=["a"])
        qml.IsingXX(weights[1, 0], ["a", "c"])
        qml.IsingZZ(weights[1, 1], ["b", "c"])
        qml.SWAP(["a", "<d>"])
        observable = 0.5 * qml.X("a") @ qml.Z("c") + qml.Y("b")
        return (
            qml.expval(qml.Z("a")),
            qml.expval(qml.X("b") @ qml.Z("c")),
            qml.expval(observable),
            qml.var(qml.Z("<d>")),
        )

    def angles(inputs, weights):
        qml.AngleEmbedding(inputs, wires=range(2))
        qml.StronglyEntanglingLayers(weights, wires=range(2))
        return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))

    def samples(inputs):
        qml.RX(inputs[0], 0)
        return qml.sample(wires=[0])

    strong = {"weights": (2, 2, 3)}
    builders = {
        "gates": lambda name: save(
            name, layer(gates, {"weights": (2, 3)}, "gates", wires=["a", "b", "c", "<d>"], outputs=4)
        ),
        "two": lambda name: save(name, layer(angles, strong, "first"), layer(angles, strong, "second")),
        "drawn": lambda name: save(name, layer(angles, strong, "drawn", shots=100)),
        "unequal": lambda name: save(
            name, layer(angles, strong, "few", shots=10), layer(angles, strong, "many", shots=20)
        ),
        "samples": lambda name: save(name, layer(samples, {}, "samples", shots=5, wires=1, outputs=None)),
    }
    for name in names:
        builders[name](name)
    return sorted(builders)
