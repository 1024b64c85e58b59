"""Keys: who may change models, and who may ask them where not everybody may.

Only SHA-256 hashes are kept. That is enough: keys made here are 32 random bytes, which nobody guesses.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from service.errors import Unauthorized

KEYS_FILE = ".keys.json"
_SECRET_BYTES = 32


class Keys:
    """The keys that are accepted; all of them may manage.

    Args:
        hashes: SHA-256 of each key, in hexadecimal.
        is_open: whether predicting and reading need no key.
    """

    def __init__(self, hashes: list[str], *, is_open: bool) -> None:
        self._hashes = [bytes.fromhex(digest) for digest in hashes]
        self._is_open = is_open

    def check(self, authorization: str | None, scope: str, model: str | None) -> str:
        """Let a request through.

        Args:
            authorization: its Authorization header, "Bearer <key>".
            scope: what it wants: infer, read or manage.
            model: which model it asks; None where it asks for none.

        Returns:
            The id of its key; "anonymous" where no key is needed.

        Raises:
            Unauthorized: no key, or one that is not known.
        """
        del model
        if self._is_open and scope != "manage":
            return "anonymous"
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Unauthorized("this needs a key: send it as 'Authorization: Bearer <key>'")
        digest = hashlib.sha256(key.strip().encode(errors="replace")).digest()
        matches = [hmac.compare_digest(digest, known) for known in self._hashes]
        if not any(matches):
            raise Unauthorized("this key is not known here")
        return "manage"


def hash_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def stored_hashes(models: Path) -> list[str]:
    """The hashes of the keys that were made here before."""
    try:
        entries = json.loads((models / KEYS_FILE).read_text())["keys"]
    except FileNotFoundError:
        return []
    return [entry["sha256"] for entry in entries]


def create_key(models: Path) -> str:
    """Make the first manage key and keep its hash beside the models.

    Returns:
        The key itself, which is kept nowhere.

    Raises:
        OSError: the folder cannot be written.
    """
    key = f"qk_{secrets.token_hex(4)}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    created = datetime.now(UTC).isoformat(timespec="seconds")
    entry = {"id": key.split("_")[1], "scope": "manage", "sha256": hash_of(key), "created": created}
    descriptor = os.open(models / KEYS_FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"keys": [entry]}, file, indent=1)
    return key
