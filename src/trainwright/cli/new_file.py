"""Files of the user that are written once and never over another one."""

from __future__ import annotations

from pathlib import Path

from trainwright.errors import UserError


def refuse_existing(path: Path) -> None:
    """Raises UserError where there is a file already."""
    if path.exists():
        raise UserError(
            "the file exists and is not overwritten", where=str(path), fix="give another name with --output"
        )


def write_new(path: Path, text: str) -> None:
    """Writes a file that must not exist yet. Raises UserError or StorageError."""
    from trainwright.errors import StorageError

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        refuse_existing(path)
    except OSError as error:
        raise StorageError(path, error) from error
