"""Labels: names for versions of a model, which can be moved; kept in the model's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from service.errors import StoreDamaged
from service.store import disk

LABELS_FILE = ".labels.json"
DEFAULT_LABEL = "default"
"""The label of the version that is served where no version is asked for."""

Labels = Mapping[str, int]


def read_labels(model: Path) -> dict[str, int]:
    """The labels of a model by name, from its folder; none where it has none.

    Raises:
        StoreDamaged: they cannot be read.
    """
    try:
        labels = json.loads((model / LABELS_FILE).read_bytes())
        return {str(label): int(number) for label, number in labels.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as exc:
        raise StoreDamaged(
            f"the labels of {model.name} cannot be read ({type(exc).__name__}): "
            f"have the operator repair {LABELS_FILE} in its folder"
        ) from exc


def write_labels(model: Path, labels: Labels) -> None:
    """Replace the labels of a model at once."""
    disk.write_json(model / LABELS_FILE, dict(sorted(labels.items())))


def labels_of(labels: Labels, number: int) -> list[str]:
    """The labels that point at a version."""
    return [label for label, labelled in labels.items() if labelled == number]
