"""The static check by itself, in a process that has TensorFlow: what it lists, how it tells, what upsets it."""

import pathlib
import shutil

import processes
import saved_models

HERE = str(pathlib.Path(__file__).parent)


def _inspected(folder):
    """For each model of a folder the codes of what is found."""
    from pathlib import Path

    from service.engine import inspection

    names = [path.name for path in Path(folder).iterdir() if (path / "1" / "saved_model.pb").is_file()]
    return {name: {f.code for f in inspection.inspect(Path(folder, name, "1"), 32)} for name in names}


def test_honest_models_have_no_finding(honest):
    """Nothing is found in what Keras 2 and 3, TensorFlow, qlayer and traced circuits write."""
    assert {name: codes for name, codes in processes.run_blocked(_inspected, str(honest)).items() if codes} == {}


def test_the_list_holds_operations_of_tensorflow():
    """Each line is an operation that this TensorFlow has, once, in order; none is known to touch more than numbers."""

    def listed():
        from pathlib import Path

        from tensorflow.python.framework import op_def_registry

        import service.engine

        path = Path(service.engine.__path__[0]) / "operations.txt"
        names = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        return names, [name for name in names if op_def_registry.get(name) is None]

    names, unknown = processes.run_blocked(listed)
    assert not unknown
    assert names == sorted(set(names))
    suspicious = (
        "File",
        "Dataset",
        "PyFunc",
        "Queue",
        "Table",
        "Save",
        "Restore",
        "Print",
        "String",
        "Decode",
        "Debug",
    )
    assert not [name for name in names if any(word in name for word in suspicious)]


def test_the_list_holds_what_qlayer_exports(request):
    """What the tests of qlayer call harmless is allowed here."""
    text = (request.config.rootpath / "service" / "engine" / "operations.txt").read_text()
    assert saved_models.HARMLESS - {""} <= set(text.splitlines())


def test_findings_are_told_once_and_at_most_twenty():
    """The same thing in many places is one finding with the number of the others; names are shortened and printable."""

    def told():
        from service.engine.inspection import Finding, summary, told

        same = [Finding("S8", "forbidden_op", "evil", "f", f"n{number}") for number in range(5)]
        others = [Finding("S8", "forbidden_op", f"evil {number}", node="\n" * 500) for number in range(50)]
        plain = told([*same, *others])
        return plain, summary(plain, 55)

    plain, text = processes.run_blocked(told)
    assert len(plain) == 20
    assert plain[0] == {
        "rule": "S8",
        "code": "forbidden_op",
        "message": "evil",
        "function": "f",
        "node": "n0",
        "others": 4,
    }
    assert plain[1]["node"] == "?" * 120 + "..."
    assert text == "evil (node 'n0' of function 'f'); and 54 more, see details"


def test_a_linked_file_is_not_a_file(bad, tmp_path):
    """A link, which only an operator's folder can have, is told, and so is a folder in place of a file."""

    def found(folder, target):
        from pathlib import Path

        from service.engine import inspection

        folder = Path(folder)
        (folder / "variables").mkdir()
        (folder / "saved_model.pb").symlink_to(target)
        (folder / "fingerprint.pb").mkdir()
        (folder / "fingerprint.pb" / "x").touch()
        return [(f.rule, f.code, f.node) for f in inspection.inspect(folder, 32) if f.rule == "S1"]

    target = bad / "plain" / "1" / "saved_model.pb"
    assert processes.run_blocked(found, str(tmp_path), str(target)) == [
        ("S1", "unexpected_file", "fingerprint.pb/x"),
        ("S1", "unexpected_file", "saved_model.pb"),
    ]


def test_large_graphs_are_refused_before_they_are_looked_at(bad, tmp_path):
    """A bomb of empty nodes within the allowed size is refused by its number, in a second and in bounded memory."""

    def bombed(folder):
        import resource
        import time
        from pathlib import Path

        from tensorflow.core.protobuf import saved_model_pb2

        from service.engine import inspection

        path = Path(folder, "saved_model.pb")
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        nodes = b"\x0a\x00" * 3_000_000
        length = bytes([len(nodes) & 0x7F | 0x80, len(nodes) >> 7 & 0x7F | 0x80, len(nodes) >> 14 & 0x7F | 0x80])
        graph = b"\x12" + length + bytes([len(nodes) >> 21]) + nodes
        total = saved.meta_graphs[0].SerializeToString() + graph
        size, groups = len(total), []
        while size > 0x7F:
            groups.append(size & 0x7F | 0x80)
            size >>= 7
        path.write_bytes(b"\x08\x01\x12" + bytes([*groups, size]) + total)
        start = time.process_time()
        found = inspection.inspect(Path(folder), 32)
        used_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        return [f.code for f in found], time.process_time() - start, used_mb

    folder = shutil.copytree(bad / "plain" / "1", tmp_path / "bomb")
    codes, seconds, used_mb = processes.run_blocked(bombed, str(folder))
    assert codes == ["model_too_large"]
    assert seconds < 5
    assert used_mb < 2500


def test_a_maze_of_paths_is_walked_once(bad, tmp_path):
    """A saver whose path forks and joins a hundred times, and is handed on 10,000 times, is followed in a moment."""

    def walked(here, folder):
        import sys
        import time
        from pathlib import Path

        from tensorflow.core.protobuf import saved_model_pb2

        from service.engine import inspection

        sys.path.insert(0, here)
        import parts

        path = Path(folder, "saved_model.pb")
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        function = parts.saver(saved, "restore")
        last = function.signature.input_arg[0].name
        for number in range(10_000):
            parts.add_node(function, f"step_{number}", "Identity", last)
            last = f"step_{number}:output:0"
        for number in range(100):
            parts.add_node(function, f"fork_{number}", "Identity", *[last] * 9)
            function.node_def[-1].op = "Identity" if number % 2 else "Pack"
            last = f"fork_{number}:output:0"
        next(node for node in function.node_def if node.op == "RestoreV2").input[0] = last
        path.write_bytes(saved.SerializeToString())
        start = time.process_time()
        return [f.message for f in inspection.inspect(Path(folder), 32)], time.process_time() - start

    folder = shutil.copytree(bad / "plain" / "1", tmp_path / "maze")
    messages, seconds = processes.run_blocked(walked, HERE, str(folder))
    assert len(messages) == 1
    assert "uses the operation Pack" in messages[0]
    assert seconds < 5


def _shaken(here, folder, workspace, count):
    """Change a good saved_model.pb at random; how often nothing was found, and how often something."""
    import sys

    sys.path.insert(0, here)
    import shaking

    return shaking.shake(folder, workspace, count)


def test_no_change_of_a_graph_upsets_the_check(bad, tmp_path):
    """Random changes are found or let through, but nothing is raised and nothing takes long."""
    passed, refused = processes.run_blocked(_shaken, HERE, str(bad / "plain" / "1"), str(tmp_path), 400)
    assert passed > 20
    assert refused > 100


def test_no_change_of_an_export_upsets_the_check(honest, tmp_path):
    """The same from one of qlayer's exports, with functions that XLA compiles."""
    passed, refused = processes.run_blocked(_shaken, HERE, str(honest / "qlayer_buckets" / "1"), str(tmp_path), 200)
    assert passed > 10
    assert refused > 50
