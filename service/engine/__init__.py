"""The processes that hold TensorFlow, and the channel to them."""
