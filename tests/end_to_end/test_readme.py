"""The README does what it says: its Python runs, its commands serve, its curl lines answer."""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys

import processes
import pytest

ROOT = pathlib.Path(__file__).parents[2]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
START_TIMEOUT_S = 120


def blocks(language):
    """The code blocks of a language, in order."""
    return [code for found, code in BLOCKS if found == language]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """`make serve`, started for real in a folder without models; yields port, folder, curl line."""
    folder = tmp_path_factory.mktemp("readme")
    port = processes.free_port()
    command = [
        "make",
        "serve",
        f"PORT={port}",
        f"MODELS={folder / 'models'}",
        f"BIN={pathlib.Path(sys.executable).parent}",
    ]
    environment = os.environ | {"SERVICE_MANAGE_KEY": processes.MANAGE_KEY}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as make:
        try:
            printed = []
            for line in make.stdout:
                printed.append(line)
                if line.strip().startswith("curl"):
                    break
            else:
                pytest.fail("make serve ended: " + "".join(printed))
            yield port, folder, line.strip()
        finally:
            servers = [pid for pid, command in processes.children(make.pid).items() if "-m service serve" in command]
            for pid in servers:
                os.kill(pid, signal.SIGTERM)
            make.wait(30)


def test_every_block_is_known():
    """Every code block is in a language that one of these tests runs."""
    assert {language for language, _ in BLOCKS} == {"console", "python", "bash"}


def test_python_blocks(tmp_path):
    """The Python blocks run one after the other, warnings being errors."""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks("python"))],
        cwd=tmp_path,
        check=True,
        timeout=START_TIMEOUT_S,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"},
    )


def test_console_blocks():
    """The commands of the console blocks exist: make's targets, and the service's command line."""
    commands = [shlex.split(line, comments=True) for code in blocks("console") for line in code.splitlines()]
    assert commands == [["make", "serve"], ["make", "test"], ["python", "-m", "service", "serve", "--models", "models"]]
    for target in ("serve", "test"):
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_the_printed_curl_line_works(served):
    """The curl line that `make serve` prints gets predictions."""
    _, _, line = served
    answer = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True, timeout=30).stdout
    assert "predictions" in answer, answer


@pytest.mark.parametrize("block", blocks("bash"))
def test_bash_blocks(served, block):
    """The bash blocks answer, against what `make serve` started."""
    port, folder, _ = served
    for line in block.replace("127.0.0.1:8000", f"127.0.0.1:{port}").splitlines():
        run = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env=os.environ | {"SERVICE_MANAGE_KEY": processes.MANAGE_KEY},
        )
        assert "error" not in run.stdout, (line, run.stdout)
