"""Circuits and plans as plain data: no TensorFlow, no PennyLane."""
