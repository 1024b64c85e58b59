"""Changes to the plain model's files that a bad disk or a careless uploader makes, and files that do not belong."""

import pathlib
import shutil

GRAPH = "saved_model.pb"
DATA = "variables/variables.data-00000-of-00001"
INDEX = "variables/variables.index"


def _flipped(data, place):
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


FILES = {
    "garbage_graph": {GRAPH: lambda _: b"this is no graph"},
    "truncated_graph": {GRAPH: lambda data: data[: len(data) // 2]},
    "empty_graph": {GRAPH: lambda _: b""},
    "graph_bomb": {GRAPH: lambda _: _bomb(40 << 20)},
    "small_graph_bomb": {GRAPH: lambda _: _bomb(4 << 20)},
    "python_file": {"evil.py": lambda _: b"print('evil')"},
    "library": {"variables/evil.so": lambda _: b"\x7fELF"},
    "keras_file": {"model.h5": lambda _: b"\x89HDF"},
    "keras_archive": {"model.keras": lambda _: b"PK\x03\x04"},
    "pickle": {"assets/evil.pkl": lambda _: b"\x80\x04."},
    "text_graph_too": {"saved_model.pbtxt": lambda _: b""},
    "no_index": {INDEX: lambda _: None},
    "no_variables": {INDEX: lambda _: None, DATA: lambda _: None},
    "truncated_data": {DATA: lambda data: data[:-1]},
    "flipped_data": {DATA: lambda data: _flipped(data, 3)},
    "flipped_index": {INDEX: lambda data: _flipped(data, len(data) // 2)},
}
"""Of each the files that differ from the plain model: from what was in them to what is; None: no file."""


def _bomb(size):
    """A graph of so many bytes that is all empty nodes."""
    nodes = b"\x0a\x00" * (size // 2)
    graph = _field(2, nodes)
    return b"\x08\x01" + _field(2, graph)


def _field(number, content):
    length, groups = len(content), []
    while True:
        groups.append(length & 0x7F)
        length >>= 7
        if not length:
            break
    return bytes([number << 3 | 2]) + bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]]) + content


def build(folder):
    """Write each damaged model to folder/<name>/1; the plain one is there."""
    folder = pathlib.Path(folder)
    for name, files in FILES.items():
        shutil.copytree(folder / "plain" / "1", folder / name / "1")
        for path, change in files.items():
            _change_file(folder / name / "1" / path, change)


def _change_file(path, change):
    content = change(path.read_bytes() if path.exists() else b"")
    path.write_bytes(content) if content is not None else path.unlink()
