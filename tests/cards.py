"""Circuit cards for tests that need no model."""

import json


def operation(name, wires, *angles, **more):
    """An operation as it stands in a card."""
    return {"name": name, "wires": wires, "angles": list(angles), **more}


def card(*operations, wires=(0, 1), measurements=(), **more):
    """A card of one layer."""
    layer = {
        "name": "layer",
        "wires": list(wires),
        "operations": list(operations),
        "measurements": list(measurements),
        "depth": 1,
        "gate_counts": {},
        "parameters": 0,
        "output_shape": [1],
        "openqasm": "OPENQASM 3.0;\n",
        "text": "0: ──┤",
    }
    head = {"format": 1, "created_by": "qlayer 1", "versions": {"tensorflow": "2", "keras": "3"}, "batch_sizes": []}
    return {**head, "layers": [layer], **more}


def write(folder, content):
    """A model's folder with a card in it; text is written as it is."""
    path = folder / "assets.extra" / "circuit.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder
