"""The HTTP process: starts within two seconds and never imports TensorFlow."""
