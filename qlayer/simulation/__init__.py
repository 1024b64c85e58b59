"""Plans on TensorFlow: registers, steps, states, measurements."""
