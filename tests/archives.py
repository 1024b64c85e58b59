"""Archives of SavedModels, as people make them."""

import io
import tarfile
import zipfile


def zip_of(folder, top=""):
    """A zip of a folder's files, below `top` if given."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, top + path.relative_to(folder).as_posix())
    return file.getvalue()


def tar_gz_of(folder, top="."):
    """A tar.gz of a folder, as `tar czf` makes it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.add(folder, top)
    return file.getvalue()
