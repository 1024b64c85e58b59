"""What every test needs before TensorFlow is imported, in this process or in the fork server."""

import os
from pathlib import Path

os.environ.setdefault(
    "TF_USE_LEGACY_KERAS", "1"
)  # the specification's Keras; tests of Keras 3 run in processes of their own
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# No test speaks TLS, and each client that httpx makes would read all certificates of the machine: 50 ms of a core.
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)  # from here certificates are read when they are needed
