"""Auth: who may do what; checked before anything of a request's body is read."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from service.errors import Forbidden, Unauthorized
from service.front.access.keys import GRANTS, Key, KeyFile, hash_of
from service.front.access.rates import Rate

ANONYMOUS = "anonymous"
GIVEN = "manage"
"""Caller id of the key that the operator gave by a setting."""

_LOOK_S = 0.5
_VERIFIED_MAX = 1024
_DUMMY = secrets.token_bytes(32)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rates:
    """Limits; 0 for none.

    Args:
        requests_per_s: of each key, and of each address that asks without one.
        uploads_per_minute: of each key.
        failures_per_minute: wrong keys from each address.
    """

    requests_per_s: float = 0
    uploads_per_minute: float = 0
    failures_per_minute: float = 0


class Keys:
    """The keys that are accepted.

    The mutable state is what the file of keys held when it was last looked at, and the headers that have been verified
    since; both are replaced together, by `_follow`.

    Args:
        file: followed while the server runs: a change counts within a second.
        given: the operator's own manage key, if any.
        is_open: whether predicting and reading need no key.
        rates: see Rates.
    """

    def __init__(self, file: KeyFile, given: str | None, *, is_open: bool, rates: Rates) -> None:
        self._file = file
        self._given = Key(GIVEN, "manage", hash_of(given).hex(), "") if given else None
        self._is_open = is_open
        self._requests = Rate(rates.requests_per_s, rates.requests_per_s, "requests with this key")
        self._uploads = Rate(rates.uploads_per_minute / 60, rates.uploads_per_minute, "uploads with this key")
        self._failures = Rate(rates.failures_per_minute / 60, rates.failures_per_minute, "wrong keys from this address")
        self._fingerprint = file.fingerprint()
        self._keys = file.read()
        self._verified: dict[str, tuple[Key, float]] = {}
        self._next_look = 0.0

    def check(
        self, authorization: str | None, scope: str, model: str | None, peer: str = "", *, is_limited: bool = True
    ) -> str:
        """Let a request through.

        Args:
            authorization: its Authorization header: "Bearer <key>", or "Basic" with the key as password.
            scope: what it wants: list, read, infer or manage.
            model: which model it asks; None where it asks for none.
            peer: the address it comes from.
            is_limited: whether it counts among the requests that each key may make.

        Returns:
            The id of its key; "anonymous" where no key is needed.

        Raises:
            Unauthorized: no key, or one that is not known, expired or revoked.
            Forbidden: the key is not for this scope or model.
            RateLimited: too many requests with it, or too many wrong keys from that address.
        """
        self._follow()
        is_free = self._is_open and scope != "manage"
        found = self._verified.get(authorization or "") or self._identified(authorization, peer, is_free=is_free)
        caller, counted = ANONYMOUS, peer
        if found is not None:
            key, expires_at = found
            caller = counted = key.id
            if not is_free:
                _demand(key, expires_at, scope, model)
        if is_limited:
            self._requests.take(counted)
        return caller

    def check_upload(self, caller: str) -> None:
        """Count an upload.

        Raises:
            RateLimited: too many within a minute.
        """
        self._uploads.take(caller)

    def visible(self, caller: str, names: Iterable[str]) -> list[str]:
        """Those of some models' names that a caller may see."""
        key = self._keys.get(caller)
        pattern = None if key is None or self._is_open else key.model
        return [name for name in names if pattern is None or fnmatchcase(name, pattern)]

    def _identified(self, authorization: str | None, peer: str, *, is_free: bool) -> tuple[Key, float] | None:
        """The key of a header that was not seen before; None where none is needed and none that is known is given."""
        presented = presented_key(authorization)
        if presented is None:
            if is_free:
                return None
            raise Unauthorized("this needs a key: send it as 'Authorization: Bearer <key>'")
        if not is_free:
            self._failures.take(peer, 0)
        key = self._find(presented)
        if key is None:
            if is_free:
                return None
            self._failures.take(peer)
            _log.warning("a key that is not known came from %s", peer or "somewhere")
            raise Unauthorized("this key is not known here")
        if len(self._verified) >= _VERIFIED_MAX:
            self._verified.clear()
        found = self._verified[authorization or ""] = (key, key.expires_at)
        return found

    def _find(self, presented: str) -> Key | None:
        """The key with a secret: as many comparisons, each in constant time, whether or not its id is known."""
        digest = hash_of(presented)
        parts = presented.split("_", 2)
        stored = self._keys.get(parts[1] if len(parts) == 3 else "")  # noqa: PLR2004 -- qk, id, secret
        is_stored = hmac.compare_digest(digest, bytes.fromhex(stored.sha256) if stored else _DUMMY)
        is_given = hmac.compare_digest(digest, bytes.fromhex(self._given.sha256) if self._given else _DUMMY)
        return stored if is_stored else self._given if is_given else None

    def _follow(self) -> None:
        """Look at the file now and then; what cannot be read changes nothing, and is logged."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_S
        try:
            fingerprint = self._file.fingerprint()
            if fingerprint != self._fingerprint:
                self._fingerprint = fingerprint
                self._keys = self._file.read()
                self._verified.clear()
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            _log.exception("%s cannot be read: the keys that were known stay as they were", self._file.path.name)


def presented_key(authorization: str | None) -> str | None:
    """The key in an Authorization header; None if there is none."""
    scheme, _, rest = (authorization or "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip() or None
        case "basic":
            return _password(rest.strip())
    return None


def _password(encoded: str) -> str | None:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def _demand(key: Key, expires_at: float, scope: str, model: str | None) -> None:
    """Raises Unauthorized or Forbidden unless a key may do something."""
    if key.revoked:
        raise Unauthorized(f"the key {key.id} was revoked: ask for another one")
    if time.time() >= expires_at:
        raise Unauthorized(f"the key {key.id} expired at {key.expires}: ask for another one")
    if scope not in GRANTS[key.scope]:
        raise Forbidden(f"the key {key.id} may {key.scope}; this needs a key that may {scope}")
    if key.model is not None and scope != "list" and not (model and fnmatchcase(model, key.model)):
        what = f"model '{model[:140]}'" if model else "a path of all models"
        raise Forbidden(f"the key {key.id} is for models '{key.model}', this is {what}")
