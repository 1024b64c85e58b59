"""Coverage-guided fuzzing of the static check: no saved_model.pb makes it raise, hang, or take much memory.

Usage: make fuzz; or python tests/fuzz/fuzz_inspection.py NEW tests/fuzz/corpus/inspection -max_total_time=60. Inputs
that reach new code are written to the folder NEW, those that fail to this one; small ones belong into the corpus.
"""

import pathlib
import sys
import tempfile

import atheris

with atheris.instrument_imports(include=["service.engine"]):
    from service.engine import inspection

FOLDER = pathlib.Path(tempfile.mkdtemp())
(FOLDER / "variables").mkdir()
(FOLDER / "variables" / "variables.data-00000-of-00001").write_bytes(bytes(1000))


def check(data: bytes) -> None:
    """One input."""
    (FOLDER / "saved_model.pb").write_bytes(data)
    found = inspection.inspect(FOLDER, 32)
    plain = inspection.told(found)
    if found:
        inspection.summary(plain, len(found))


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
