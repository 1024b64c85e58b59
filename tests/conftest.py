"""What every test needs before TensorFlow is imported, in this process or in the fork server."""

import os

os.environ.setdefault(
    "TF_USE_LEGACY_KERAS", "1"
)  # the specification's Keras; tests of Keras 3 run in processes of their own
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
