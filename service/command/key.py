"""`key`: create, list, revoke and rotate keys, in the folder of models itself; a running server follows."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from service.command.client import CommandError
from service.command.folder import add_models, folder_of, print_table
from service.front.access.keys import GRANTS, Key, KeyFile, UnknownKey

_WHO = "operator"
_COLUMNS = ("ID", "SCOPE", "MODELS", "STATE", "CREATED", "EXPIRES", "NAME")


def run(words: list[str]) -> int:
    """Run the command.

    Returns:
        0.

    Raises:
        CommandError: the key is not known, or the folder cannot be used.
    """
    arguments = _parser().parse_args(words)
    folder = folder_of(arguments)
    action: Callable[[KeyFile, argparse.Namespace], None] = arguments.action
    try:
        action(KeyFile(folder), arguments)
    except UnknownKey as exc:
        raise CommandError(str(exc)) from exc
    except OSError as exc:
        raise CommandError(f"{arguments.models} cannot be used: {exc.strerror}") from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise CommandError(f"the keys in {arguments.models} cannot be used: {exc!r}") from exc
    return 0


def _create(file: KeyFile, arguments: argparse.Namespace) -> None:
    _, secret = file.create(
        arguments.scope, who=_WHO, name=arguments.name, model=arguments.model, expires_days=arguments.expires_days
    )
    _show(secret)


def _list(file: KeyFile, _: argparse.Namespace) -> None:
    print_table([_COLUMNS, *map(_row, file.read().values())])


def _revoke(file: KeyFile, arguments: argparse.Namespace) -> None:
    file.revoke(arguments.id, who=_WHO)
    print(f"{arguments.id} is revoked; servers refuse it within a second")


def _rotate(file: KeyFile, arguments: argparse.Namespace) -> None:
    _, secret = file.rotate(arguments.id, who=_WHO, grace_hours=arguments.grace_hours)
    _show(secret)


def _show(secret: str) -> None:
    """The key alone, so that a script can take it; it is kept nowhere."""
    print(secret)


def _row(key: Key) -> tuple[str, ...]:
    state = "revoked" if key.revoked else "expired" if key.expires_at <= time.time() else "valid"
    return key.id, key.scope, key.model or "*", state, key.created, key.expires or "never", key.name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m service key", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="create | list | revoke | rotate")
    create = _action(actions, "create", _create, "make a key and print it, this once")
    create.add_argument(
        "--scope", required=True, choices=GRANTS, help="read < infer < manage: each includes those before"
    )
    create.add_argument("--model", metavar="GLOB", help="only models whose names match, such as 'moons*'")
    create.add_argument("--name", default="", help="for people: whose it is, what it is for")
    create.add_argument("--expires-days", type=_positive, metavar="N", help="days until it ends (default: never)")
    _action(actions, "list", _list, "all keys, without their secrets")
    revoke = _action(actions, "revoke", _revoke, "let a key never be accepted again")
    rotate = _action(actions, "rotate", _rotate, "replace a key by a new one that may do the same, and print that")
    rotate.add_argument("--grace-hours", type=_positive, default=0, metavar="H", help="the old one is accepted so long")
    for action in (revoke, rotate):
        action.add_argument("id", metavar="ID", help="the first part behind qk_")
    return parser


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],  # the public name argparse does not have
    name: str,
    action: Callable[[KeyFile, argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    add_models(parser)
    parser.set_defaults(action=action)
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 36500:  # noqa: PLR2004 -- a hundred years: dates beyond the year 9999 cannot be written
        raise argparse.ArgumentTypeError(f"{text}: expected more than 0 and less than 36500")
    return value
