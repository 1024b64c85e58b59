"""Who may do what."""

import base64
import itertools
import json
from dataclasses import asdict, replace

import pytest

from service.errors import Forbidden, RateLimited, Unauthorized
from service.front.access import auth, rates
from service.front.access.auth import ANONYMOUS, Keys, Rates
from service.front.access.keys import GRANTS, KeyFile

WANTED = ["list", "read", "infer", "manage"]


@pytest.fixture
def file(tmp_path):
    """An empty file of keys."""
    return KeyFile(tmp_path)


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves: seconds in a list of one."""
    now = [1000.0]
    monkeypatch.setattr(rates.time, "monotonic", lambda: now[0])
    return now


def _keys(file, *, given=None, is_open=False, limits=None):
    return Keys(file, given, is_open=is_open, rates=limits or Rates())


def _bearer(secret):
    return f"Bearer {secret}"


@pytest.mark.parametrize(("scope", "wanted"), list(itertools.product(GRANTS, WANTED)))
def test_each_scope_may_what_its_row_says(file, scope, wanted):
    """A key is let through for what its scope includes, and is Forbidden for the rest."""
    key, secret = file.create(scope, who="me")
    keys = _keys(file)
    if wanted in GRANTS[scope]:
        assert keys.check(_bearer(secret), wanted, "moons") == key.id
    else:
        with pytest.raises(Forbidden, match=f"may {scope}; this needs a key that may {wanted}"):
            keys.check(_bearer(secret), wanted, "moons")


@pytest.mark.parametrize(
    ("model", "is_allowed"),
    [("moons", True), ("moons-2", True), ("Moons", False), ("suns", False), (None, False), ("", False)],
)
def test_a_key_for_some_models_is_for_no_others(file, model, is_allowed):
    """The pattern decides, with upper and lower case; a path that names no model is about all of them."""
    key, secret = file.create("manage", who="me", model="moons*")
    keys = _keys(file)
    if is_allowed:
        assert keys.check(_bearer(secret), "manage", model) == key.id
    else:
        with pytest.raises(Forbidden, match=r"is for models 'moons\*'"):
            keys.check(_bearer(secret), "manage", model)
    assert keys.check(_bearer(secret), "list", None) == key.id
    assert keys.visible(key.id, ["moons", "suns"]) == ["moons"]


def test_whoever_has_no_pattern_sees_all(file):
    """Models are hidden only from keys for some models, and not where everybody may read."""
    key, _ = file.create("read", who="me")
    restricted, _ = file.create("read", who="me", model="a")
    assert _keys(file).visible(key.id, ["a", "b"]) == ["a", "b"]
    assert _keys(file, is_open=True).visible(restricted.id, ["a", "b"]) == ["a", "b"]
    assert _keys(file, is_open=True).visible(ANONYMOUS, ["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Digest x",
        "Basic !",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic /w==",
    ],
)
def test_without_a_key_the_text_says_how_to_send_one(file, header):
    """What holds no key is Unauthorized with what to do, whatever else it is."""
    with pytest.raises(Unauthorized, match="send it as 'Authorization: Bearer <key>'"):
        _keys(file).check(header, "read", None)


def test_a_key_comes_as_bearer_or_as_the_password_of_basic(file):
    """Both forms are taken, in any case of the scheme's letters; the user's name does not matter."""
    key, secret = file.create("read", who="me")
    basic = base64.b64encode(f"anybody:{secret}".encode()).decode()
    for header in (f"Bearer {secret}", f"bearer  {secret} ", f"Basic {basic}", f"BASIC {basic}"):
        assert _keys(file).check(header, "read", None) == key.id


def test_a_key_that_is_almost_right_is_not_known(file):
    """A right id with another secret, and a secret with another id, are as unknown as any text."""
    key, secret = file.create("manage", who="me")
    other, _ = file.create("manage", who="me")
    for wrong in (secret[:-1], f"{secret}x", secret.replace(key.id, other.id), f"qk_{key.id}_", "é", "qk__"):
        with pytest.raises(Unauthorized, match="this key is not known here"):
            _keys(file).check(_bearer(wrong), "read", None)


def test_the_operators_own_key_may_everything(file):
    """The key of the settings is a manage key, also beside keys of the file."""
    file.create("read", who="me")
    assert _keys(file, given="swordfish").check("Bearer swordfish", "manage", None) == "manage"
    with pytest.raises(Unauthorized):
        _keys(file).check("Bearer swordfish", "manage", None)


def test_changes_of_the_file_count_within_a_second(file, clock):
    """A key that is made is accepted, and one that is revoked refused, with nothing started again."""
    keys = _keys(file)
    key, secret = file.create("read", who="me")
    clock[0] += 1
    assert keys.check(_bearer(secret), "read", None) == key.id
    file.revoke(key.id, who="me")
    clock[0] += 1
    with pytest.raises(Unauthorized, match=f"the key {key.id} was revoked"):
        keys.check(_bearer(secret), "read", None)


def test_a_file_that_becomes_unreadable_changes_nothing(file, clock, caplog):
    """Keys that were known stay known, and the log says so."""
    key, secret = file.create("read", who="me")
    keys = _keys(file)
    file.path.write_text("{")
    clock[0] += 1
    assert keys.check(_bearer(secret), "read", None) == key.id
    assert "stay as they were" in caplog.text


def test_an_expired_key_is_refused_also_if_it_was_accepted_before(file, monkeypatch):
    """The end counts at each request, not only when the key is seen first."""
    key, secret = file.create("read", who="me", expires_days=1)
    keys = _keys(file)
    assert keys.check(_bearer(secret), "read", None) == key.id
    monkeypatch.setattr(auth.time, "time", lambda: key.expires_at)
    with pytest.raises(Unauthorized, match=f"the key {key.id} expired at"):
        keys.check(_bearer(secret), "read", None)


def test_where_everybody_may_read_a_key_only_names_the_caller(file):
    """On an open server no key and a wrong one are anonymous, a known one is named, and changes need manage."""
    key, secret = file.create("read", who="me", model="a")
    keys = _keys(file, is_open=True)
    assert keys.check(None, "infer", "b") == keys.check("Bearer wrong", "infer", "b") == ANONYMOUS
    assert keys.check(_bearer(secret), "infer", "b") == key.id
    with pytest.raises(Unauthorized):
        keys.check(None, "manage", "a")
    with pytest.raises(Forbidden):
        keys.check(_bearer(secret), "manage", "a")


def test_each_key_has_requests_of_its_own(file, clock):
    """The request beyond the limit is RateLimited with when to come again; other keys go on, and time brings more."""
    _, first = file.create("read", who="me")
    _, second = file.create("read", who="me")
    keys = _keys(file, limits=Rates(requests_per_s=2))
    for _ in range(2):
        keys.check(_bearer(first), "read", None)
    with pytest.raises(RateLimited) as caught:
        keys.check(_bearer(first), "read", None)
    assert caught.value.retry_after_s == 1
    keys.check(_bearer(second), "read", None)
    clock[0] += 0.5
    keys.check(_bearer(first), "read", None)


def test_anonymous_callers_are_told_apart_by_their_address(file, clock):
    """One address without a key does not use up the requests of another."""
    del clock
    keys = _keys(file, is_open=True, limits=Rates(requests_per_s=1))
    keys.check(None, "read", None, "10.0.0.1")
    keys.check(None, "read", None, "10.0.0.2")
    with pytest.raises(RateLimited):
        keys.check(None, "read", None, "10.0.0.1")


def test_guessing_is_limited_and_known_callers_are_not_disturbed(file, clock):
    """After some wrong keys an address gets 429 before its key is looked at; headers seen before still pass."""
    key, secret = file.create("read", who="me")
    keys = _keys(file, limits=Rates(failures_per_minute=3))
    keys.check(_bearer(secret), "read", None, "10.0.0.1")
    for _ in range(3):
        with pytest.raises(Unauthorized):
            keys.check("Bearer wrong", "read", None, "10.0.0.1")
    with pytest.raises(RateLimited, match="too many wrong keys from this address: try again in 20 s"):
        keys.check("Bearer wrong", "read", None, "10.0.0.1")
    assert keys.check(_bearer(secret), "read", None, "10.0.0.1") == key.id
    with pytest.raises(Unauthorized):
        keys.check("Bearer wrong", "read", None, "10.0.0.2")
    clock[0] += 20
    with pytest.raises(Unauthorized):
        keys.check("Bearer wrong", "read", None, "10.0.0.1")


def test_uploads_have_a_limit_of_their_own(file, clock):
    """So many within a minute, each key for itself."""
    del clock
    keys = _keys(file, limits=Rates(uploads_per_minute=1))
    keys.check_upload("a")
    keys.check_upload("b")
    with pytest.raises(RateLimited, match="too many uploads with this key: try again in 60 s"):
        keys.check_upload("a")


def test_memory_for_callers_is_bounded(file, clock):
    """Neither addresses nor verified headers are kept without end, and those that ask all the time stay limited."""
    keys = _keys(file, is_open=True, limits=Rates(requests_per_s=1))
    for number in range(10_000):
        clock[0] += 0.0001
        keys.check(None, "read", None, f"address {number}")
    assert len(keys._requests._buckets) <= rates._BUCKETS_MAX
    with pytest.raises(RateLimited):
        keys.check(None, "read", None, "address 9999")
    key, secret = file.create("read", who="me")
    keys = _keys(file)
    for spaces in range(auth._VERIFIED_MAX + 10):
        keys.check("Bearer " + " " * spaces + secret, "read", None)
    assert len(keys._verified) <= auth._VERIFIED_MAX
    assert key.id


def test_files_of_earlier_versions_are_read(file):
    """A file with what was kept at first, and with fields that a later version adds, is understood."""
    key, secret = file.create("manage", who="me")
    entry = {name: asdict(replace(key))[name] for name in ("id", "scope", "sha256", "created")} | {"later": 1}
    file.path.write_text(json.dumps({"keys": [entry]}))
    assert _keys(file).check(_bearer(secret), "manage", None) == key.id
