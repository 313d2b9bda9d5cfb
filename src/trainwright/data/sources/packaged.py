"""Files of real data that scikit-learn carries, found without importing it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from trainwright.errors import DataError


def packaged_file(name: str) -> Path:
    """Path of one of scikit-learn's data files.

    Raises:
        DataError: scikit-learn is not installed, or no longer carries the file.
    """
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise DataError("scikit-learn is not installed", where="data.source", fix="pip install scikit-learn")
    path = Path(found.origin).parent / "datasets" / "data" / name
    if not path.is_file():
        raise DataError(
            "scikit-learn does not carry this file", where=str(path), fix="install scikit-learn again"
        )
    return path
