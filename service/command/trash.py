"""`trash`: list and empty the trash, in the folder of models itself; a server may be running there."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from service.command.client import CommandError
from service.command.folder import add_models, folder_of, print_table
from service.errors import ServiceError
from service.store.fingerprints import fingerprint, size_bytes
from service.store.names import checked_name, checked_version
from service.store.store import Store
from service.store.trash import Deleted

_WHO = "operator"
_NAMED_MAX = 10
_COLUMNS = ("VERSION", "DELETED", "BYTES")


def run(words: list[str]) -> int:
    """Run the command.

    Returns:
        0.

    Raises:
        CommandError: what is named is not in the trash, or the folder cannot be used.
    """
    arguments = _parser().parse_args(words)
    folder = folder_of(arguments)
    action: Callable[[Store, argparse.Namespace], None] = arguments.action
    try:
        action(Store(folder), arguments)
    except ServiceError as exc:
        raise CommandError(exc.message) from exc
    except OSError as exc:
        raise CommandError(f"{arguments.models} cannot be used: {exc.strerror}") from exc
    return 0


def _list(store: Store, _: argparse.Namespace) -> None:
    print_table([_COLUMNS, *map(_row, store.trash.entries())])


def _empty(store: Store, arguments: argparse.Namespace) -> None:
    is_chosen = _chosen_by(arguments.what) if arguments.what else lambda _: True
    purged = store.purge(is_chosen, _WHO)
    if arguments.what and not purged:
        known = ", ".join(map(_name, store.trash.entries()[:_NAMED_MAX])) or "nothing"
        raise CommandError(f"{arguments.what} is not in the trash; there is: {known}")
    for id_ in purged:
        print(f"{id_.name}/{id_.number} is removed for good")


def _chosen_by(what: str) -> Callable[[Deleted], bool]:
    """Whether a deleted version is one that NAME or NAME/VERSION names."""
    name, slash, version = what.partition("/")
    checked_name(name)
    number = checked_version(version) if slash else None
    return lambda entry: entry.name == name and number in {None, entry.number}


def _row(entry: Deleted) -> tuple[str, ...]:
    deleted = datetime.fromtimestamp(entry.deleted_s, UTC).isoformat(timespec="seconds")
    return _name(entry), deleted, str(size_bytes(fingerprint(entry.directory)))


def _name(entry: Deleted) -> str:
    return f"{entry.name}/{entry.number}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m service trash", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="list | empty")
    text = "deleted versions, when they were deleted, and their sizes"
    listing = actions.add_parser("list", help=text, description=text)
    text = "remove deleted versions for good, before their time is over"
    emptying = actions.add_parser("empty", help=text, description=text)
    emptying.add_argument("what", nargs="?", metavar="NAME[/VERSION]", help="only this (default: all)")
    for action, function in ((listing, _list), (emptying, _empty)):
        add_models(action)
        action.set_defaults(action=function)
    return parser
