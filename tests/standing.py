"""Standing: whatever a server refuses, it stands as before, and its answer tells nothing of it."""

import contextlib

import processes

ROWS = {"instances": [[0, 0, 0, 1], [1, 2, 3, 4]]}
PREDICTIONS = {"predictions": [[6.5, 6.5], [40.5, 49.5]]}
SECRETS = ("Traceback", 'File "', ".py", ".staging", "/tmp", "site-packages")  # noqa: S108 -- looked for, not used


def files(folder):
    """The paths of all that lies in a folder, at any depth."""
    return sorted(path.as_posix() for path in folder.rglob("*"))


def check_silent(text):
    """No path of the server's and no traceback is in the text of an answer."""
    assert not [secret for secret in SECRETS if secret in text], text[:1000]


@contextlib.contextmanager
def unharmed(client, models, control, world=None):
    """After the block: alive, the control model answers as ever, staging is empty, nothing new is listed or lies about.

    Args:
        client: of the server.
        models: the folder that it serves.
        control: a model of its, which is the tests' `affine`.
        world: the folder in which nothing may appear; None for the folder of models.
    """
    world = world or models
    before, listed = files(world), client.get("/v1/models").json()
    yield
    assert client.get("/livez").status_code == 200
    assert client.post(f"/v1/models/{control}:predict", json=ROWS).json() == PREDICTIONS
    processes.wait_for(lambda: not list(models.glob(".staging/*")))
    assert files(world) == before
    assert client.get("/v1/models").json() == listed
