"""The circuit of a model and its shapes, as what people and programs read."""
