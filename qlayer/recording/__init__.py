"""PennyLane's circuits, read."""
