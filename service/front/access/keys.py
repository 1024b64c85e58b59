"""Keys: the file `<models>/.keys.json`, which the command line changes and every running server follows.

Only SHA-256 hashes are kept. That is enough: keys made here hold 32 random bytes, which nobody guesses. The file is
replaced by a rename under a lock, so that readers see the old or the new one, and writers never lose each other's keys.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.store.audit import Change, audit
from service.store.disk import flush

KEYS_FILE = ".keys.json"
_LOCK_FILE = ".keys.lock"
_PARTIAL = re.compile(re.escape(KEYS_FILE) + r"\.[0-9a-f]{8}")
_SECRET_BYTES = 32

GRANTS = {
    "read": frozenset({"list", "read"}),
    "infer": frozenset({"list", "read", "infer"}),
    "manage": frozenset({"list", "read", "infer", "manage"}),
}
"""What each scope may do: clients that infer read metadata first, and who manages models tries them out.

`list` is asked by routes that name no model and show each caller only what it may see.
"""


@dataclass(frozen=True)
class Key:
    """What is kept of a key.

    Args:
        id: names it in lists and logs.
        scope: a row of GRANTS.
        sha256: of the key, in hexadecimal.
        created: ISO 8601, UTC; so are the other times.
        name: for people.
        model: a pattern of the names of models it is for; None for all.
        expires: when it ends.
        revoked: when it was revoked.
    """

    id: str
    scope: str
    sha256: str
    created: str
    name: str = ""
    model: str | None = None
    expires: str | None = None
    revoked: str | None = None

    def __post_init__(self) -> None:
        if self.scope not in GRANTS:
            raise ValueError(f"key {self.id} has scope {self.scope!r}, expected one of {', '.join(GRANTS)}")
        bytes.fromhex(self.sha256)
        _ = self.expires_at

    @property
    def expires_at(self) -> float:
        """Seconds since the epoch; infinity for a key that does not expire."""
        return datetime.fromisoformat(self.expires).timestamp() if self.expires else float("inf")


class UnknownKey(Exception):
    """No key has that id."""


class KeyFile:
    """The file of keys of a folder of models.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.path = root / KEYS_FILE

    def fingerprint(self) -> tuple[int, int, int] | None:
        """Changes whenever the file does; None while there is no file."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def read(self) -> dict[str, Key]:
        """All keys by their ids, also those that are not valid any more.

        Raises:
            OSError, ValueError, KeyError, TypeError: it cannot be read, or is not what was written here.
        """
        try:
            entries = json.loads(self.path.read_text())["keys"]
        except FileNotFoundError:
            return {}
        known = {field.name for field in fields(Key)}
        keys = [Key(**{name: value for name, value in entry.items() if name in known}) for entry in entries]
        return {key.id: key for key in keys}

    def create(
        self, scope: str, *, who: str, name: str = "", model: str | None = None, expires_days: float | None = None
    ) -> tuple[Key, str]:
        """Make a key.

        Args:
            scope: see GRANTS.
            who: makes it, for the audit log.
            name: for people.
            model: a pattern of names of models; None for all.
            expires_days: from now; None for a key that does not expire.

        Returns:
            What is kept of it, and the key itself, which is kept nowhere.

        Raises:
            OSError: the folder cannot be written.
        """
        expires = None if expires_days is None else _in(timedelta(days=expires_days))
        with self._changing() as keys:
            key, secret = _new_key(scope, name, model, expires)
            keys[key.id] = key
            audit(self._root, Change("key-create", who, note=_described(key)))
        return key, secret

    def create_first(self) -> str | None:
        """Make the first manage key, for all models; None where there is a key already."""
        with self._changing() as keys:
            if keys:
                return None
            key, secret = _new_key("manage", "first", None, None)
            keys[key.id] = key
            audit(self._root, Change("key-create", "service", note=_described(key)))
        return secret

    def revoke(self, id_: str, *, who: str) -> Key:
        """Let a key never be accepted again; it stays in the list.

        Raises:
            UnknownKey, OSError: as their names say.
        """
        with self._changing() as keys:
            keys[id_] = replace(_of(keys, id_), revoked=_in(timedelta()))
            audit(self._root, Change("key-revoke", who, note=_described(keys[id_])))
        return keys[id_]

    def rotate(self, id_: str, *, who: str, grace_hours: float = 0) -> tuple[Key, str]:
        """Make a key that may do what another one may, which ends after a while.

        Args:
            id_: of the old one.
            who: asks for it.
            grace_hours: how long the old one is still accepted.

        Returns:
            As `create`.

        Raises:
            UnknownKey: there is no such key, or it is revoked.
            OSError: the folder cannot be written.
        """
        with self._changing() as keys:
            old = _of(keys, id_)
            if old.revoked:
                raise UnknownKey(f"{id_}: revoked at {old.revoked}; create another one")
            end = _in(timedelta(hours=grace_hours))
            keys[id_] = replace(old, expires=min(end, old.expires or end)) if grace_hours else replace(old, revoked=end)
            key, secret = _new_key(old.scope, old.name, old.model, old.expires)
            keys[key.id] = key
            audit(self._root, Change("key-rotate", who, note=f"{id_} -> {_described(key)}"))
        return key, secret

    def partial_files(self) -> list[Path]:
        """What processes that ended while they wrote have left, and what one writes now."""
        return sorted(path for path in self._root.glob(f"{KEYS_FILE}.*") if _PARTIAL.fullmatch(path.name))

    def sweep(self) -> None:
        """Remove what processes that ended while they wrote have left, where that can be."""
        if self.partial_files():
            with contextlib.suppress(OSError), self._locked():  # who writes holds the lock: what is left is nobody's
                for path in self.partial_files():
                    path.unlink(missing_ok=True)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Key]]:
        """All keys, to be changed; written at the end of the block, if it does not fail."""
        with self._locked():
            keys = self.read()
            yield keys
            self._write(keys)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, whichever process it is."""
        descriptor = os.open(self._root / _LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            _give_to_owner(descriptor, self._root)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, keys: dict[str, Key]) -> None:
        temporary = self._root / f"{KEYS_FILE}.{secrets.token_hex(4)}"
        entries = [{n: v for n, v in asdict(key).items() if v not in (None, "")} for key in keys.values()]
        try:
            with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                json.dump({"keys": entries}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
                _give_to_owner(file.fileno(), self._root)
            temporary.rename(self.path)
        finally:
            temporary.unlink(missing_ok=True)
        flush(self._root)


def hash_of(key: str) -> bytes:
    """What is compared instead of a key."""
    return hashlib.sha256(key.encode(errors="replace")).digest()


def _new_key(scope: str, name: str, model: str | None, expires: str | None) -> tuple[Key, str]:
    id_ = secrets.token_hex(4)
    secret = f"qk_{id_}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return Key(id_, scope, hash_of(secret).hex(), _in(timedelta()), name, model, expires), secret


def _of(keys: dict[str, Key], id_: str) -> Key:
    if id_ not in keys:
        raise UnknownKey(f"{id_}: no key has this id; there are: {', '.join(keys) or 'none'}")
    return keys[id_]


def _in(span: timedelta) -> str:
    return (datetime.now(UTC) + span).isoformat(timespec="seconds")


def _described(key: Key) -> str:
    return f"{key.id} scope={key.scope} model={key.model or '*'} expires={key.expires or 'never'}"


def _give_to_owner(descriptor: int, root: Path) -> None:
    """Root's files in somebody else's folder: the server, which runs as the folder's owner, has to read them."""
    if os.geteuid() == 0:
        owner = root.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
