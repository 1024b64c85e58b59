"""Quotas: one row each, and what counts."""

import pytest

from service.errors import QuotaExceeded
from service.store.quotas import Quotas
from service.store.store import Store

SIZE = len("graph") + len("index")


@pytest.mark.parametrize(
    ("quotas", "second", "code"),
    [
        (Quotas(models_max=1), {"name": "n"}, "too_many_models"),
        (Quotas(versions_max=1), {"name": "m"}, "too_many_versions"),
        (Quotas(stored_max_bytes=2 * SIZE), {"name": "n"}, "store_full"),
        (Quotas(key_max_bytes=2 * SIZE - 1), {"name": "n"}, "key_quota"),
    ],
    ids=["models", "versions", "bytes", "bytes of a key"],
)
def test_what_is_too_much_is_refused(tmp_path, install, quotas, second, code):
    """The first version fits and the second does not; the text says how much there would be."""
    store = Store(tmp_path, quotas)
    install(store, "m", 1)
    with pytest.raises(QuotaExceeded, match="with this there would be") as refusal:
        install(store, second["name"], 2)
    assert refusal.value.code == code
    assert store.numbers("m") == [1]
    assert not list((tmp_path / ".staging").iterdir())


def test_the_bytes_of_others_do_not_count_for_a_key(tmp_path, install):
    """Each key has its own; what it deleted counts until the trash is emptied."""
    store = Store(tmp_path, Quotas(key_max_bytes=SIZE))
    install(store, "m", 1, uploader="one")
    install(store, "m", 2, uploader="two")
    store.delete("m", [1], "one")
    with pytest.raises(QuotaExceeded):
        install(store, "m", 3, uploader="one")
    store.empty_trash(-1)
    install(store, "m", 3, uploader="one")
