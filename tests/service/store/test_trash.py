"""The trash keeps deleted versions for as long as it shall."""

import pytest

from service.errors import FolderModel, ModelNotFound, VersionExists, VersionInTrash, VersionLabelled
from service.store.store import VersionId


def test_what_is_kept_long_enough_is_removed(store, install):
    """Before that it can be restored; after that it is gone, and its number is never given again."""
    for number in (1, 2):
        install(store, "m", number)
    store.delete("m", [2], "somebody")
    assert store.empty_trash(1) == []
    assert store.trash.find("m", 2)
    assert store.empty_trash(-1) == [VersionId("m", 2)]
    with pytest.raises(ModelNotFound, match="version 2 of m is not in the trash"):
        store.restore(VersionId("m", 2), "somebody")
    assert store.highest("m") == 2
    install(store, "m", 2, "asked for by its number")
    assert store.numbers("m") == [1, 2]


def test_a_deleted_number_is_not_stored_again(store, install):
    """Neither by an upload, nor by a restore where an operator has put another version meanwhile."""
    install(store, "m", 1)
    store.delete("m", [1], "somebody")
    with pytest.raises(VersionInTrash, match=r"POST /v1/models/m/versions/1:restore"):
        install(store, "m", 1)
    (store.root / "m" / "1").mkdir(parents=True)
    (store.root / "m" / "1" / "saved_model.pb").write_text("an operator's")
    with pytest.raises(VersionExists):
        store.restore(VersionId("m", 1), "somebody")
    assert (store.root / "m" / "1" / "saved_model.pb").read_text() == "an operator's"


def test_nothing_is_deleted_where_one_cannot_be(store, install):
    """A label, a folder of an operator's or a missing version: all stay."""
    for number in (1, 2):
        install(store, "m", number)
    store.set_label("m", "stable", 2, "somebody")
    (store.root / "m" / "3").mkdir()
    (store.root / "m" / "3" / "saved_model.pb").write_text("an operator's")
    for numbers, error in (([1, 2], VersionLabelled), ([1, 3], FolderModel), ([1, 9], ModelNotFound)):
        with pytest.raises(error):
            store.delete("m", numbers, "somebody")
    assert store.numbers("m") == [1, 2, 3]
