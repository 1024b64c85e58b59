"""What a worker may touch: tried in a process that is confined, and looked at in workers of a real server."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import processes
import pytest

from service.engine import landlock, sandbox, seccomp

needs_landlock = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
needs_seccomp = pytest.mark.skipif(not seccomp.is_available(), reason="this kernel or machine has no seccomp filters")


def _attempts(directory, elsewhere):
    """What came of everything a confined process might try: a value, or the exception's name."""
    import os
    import pathlib
    import socket
    import subprocess
    import threading

    from service.engine import sandbox

    elsewhere = pathlib.Path(elsewhere)
    parent = os.getppid()
    protection = sandbox.confine(sandbox.Limits(8192, 60), pathlib.Path(directory))

    def tried(attempt):
        try:
            return attempt()
        except OSError as exc:
            return type(exc).__name__

    def in_thread(attempt):
        found = []
        thread = threading.Thread(target=lambda: found.append(tried(attempt)))
        thread.start()
        thread.join()
        return found[0]

    attempts = {
        "read own": lambda: len(pathlib.Path(directory, "saved_model.pb").read_bytes()) > 0,
        "read elsewhere": (elsewhere / "secret").read_text,
        "read hosts": pathlib.Path("/etc/hosts").read_text,
        "list root": lambda: list(pathlib.Path("/").iterdir()),
        "write elsewhere": lambda: (elsewhere / "new").write_text("x"),
        "write own": lambda: pathlib.Path(directory, "new").write_text("x"),
        "write here": lambda: pathlib.Path("new").write_text("x"),
        "remove own": lambda: pathlib.Path(directory, "saved_model.pb").unlink(),
        "make folder": (elsewhere / "folder").mkdir,
        "read parent's variables": lambda: pathlib.Path(f"/proc/{parent}/environ").read_bytes(),
        "signal parent": lambda: os.kill(parent, 0),
        "tcp": lambda: socket.create_connection(("127.0.0.1", 9)),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "unix": lambda: socket.socket(socket.AF_UNIX),
        "program": lambda: subprocess.run(["/bin/true"], check=True).returncode,
    }
    found = {name: tried(attempt) for name, attempt in attempts.items()}
    found["read hosts in a thread"] = in_thread(attempts["read hosts"])
    return found, vars(protection)


@pytest.fixture
def attempts(savedmodels, tmp_path):
    """What came of the attempts, and what protected against them."""
    (tmp_path / "secret").write_text("secret")
    return processes.run_blocked(_attempts, str(savedmodels / "affine" / "1"), str(tmp_path))


@needs_landlock
@needs_seccomp
def test_a_confined_process_touches_nothing_but_its_model(attempts, tmp_path):
    """Its model can be read; nothing else can be read, written, signalled, connected or started, in any thread."""
    found, protection = attempts
    assert protection == {"landlock": landlock.version(), "seccomp": True}
    assert found.pop("read own") is True
    assert found.pop("write here") == "FileNotFoundError"
    assert set(found.values()) == {"PermissionError"}, found
    assert {path.name for path in tmp_path.iterdir()} == {"secret"}


def _without_landlock(*command):
    """A command line that runs another with Landlock's first system call refused, as in an older kernel."""
    code = (
        "import os, sys; from service.engine import seccomp;"
        "seccomp._CALLS = {'landlock_create_ruleset': (444, 444)}; seccomp.restrict();"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    return [sys.executable, "-c", code, *command]


@needs_seccomp
def test_a_kernel_without_landlock_is_reported(savedmodels, tmp_path):
    """The log and /readyz say so, and models are served; limits and seccomp hold all the same."""
    shutil.copytree(savedmodels / "affine", tmp_path / "affine")
    server = processes.Server(tmp_path)
    server._command = _without_landlock(*server._command)
    with server:
        body = server.wait_until("/readyz").json()
        status = Path(f"/proc/{processes.workers(server.process.pid)[0]}/status").read_text()
    assert body["models"] == {"affine/1": "AVAILABLE"}, server.output
    assert body["sandbox"] == {"landlock": 0, "seccomp": True}
    assert "NO Landlock: they can read files" in server.output
    assert "\nSeccomp:\t2\n" in status


@needs_seccomp
def test_a_sandbox_can_be_required(tmp_path):
    """With --require-sandbox a server without Landlock refuses to start, and says why."""
    command = [sys.executable, "-m", "service", "serve", "--models", str(tmp_path), "--require-sandbox"]
    done = subprocess.run(_without_landlock(*command), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "require_sandbox: this kernel has no Landlock" in done.stderr


def test_workers_import_no_packages_for_plots(server):
    """What Keras would import of its own accord costs no start any time and no worker any memory."""
    assert importlib.util.find_spec("sklearn")
    assert importlib.util.find_spec("matplotlib")
    for worker in processes.workers(server.process.pid):
        maps = Path(f"/proc/{worker}/maps").read_text()
        assert "tensorflow" in maps
        assert "sklearn" not in maps
        assert "matplotlib" not in maps


def test_what_is_hidden_is_there_again_afterwards():
    """In the block the import fails; what was imported before stays."""
    with sandbox.hidden("wave", "json"):
        assert "json" in sys.modules
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("wave")
    assert importlib.import_module("wave").open


def limits_of(pid):
    """The lines of a process's limits."""
    return Path(f"/proc/{pid}/limits").read_text().splitlines()


@needs_landlock
def test_a_worker_is_confined_in_all_its_threads(server):
    """Every thread of a worker has no new privileges, and its system calls are filtered; it is a session of its own."""
    for worker in processes.workers(server.process.pid):
        threads = list(Path(f"/proc/{worker}/task").glob("*/status"))
        assert len(threads) > 1, "no operation has run yet"
        for status in threads:
            text = status.read_text()
            assert "\nNoNewPrivs:\t1\n" in text
            assert "\nSeccomp:\t2\n" in text
        assert os.getsid(worker) == worker
        assert Path(f"/proc/{worker}/cwd").readlink().name.endswith("(deleted)")
        limits = {line[:26].strip(): line[26:].split()[0] for line in limits_of(worker)}
        assert (limits["Max file size"], limits["Max core file size"], limits["Max open files"]) == ("0", "0", "128")


def test_readyz_tells_what_protects(server):
    """Operators can ask what the kernel enforces."""
    assert httpx.get(f"{server.url}/readyz").json()["sandbox"] == vars(sandbox.protection())
