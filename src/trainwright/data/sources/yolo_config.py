"""What a YOLO data set says of itself: `data.yaml`, `classes.txt`, `obj.names`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from trainwright.data.sources.file_set import FileSet
from trainwright.data.sources.yolo_file import PointShape
from trainwright.errors import DataError, TrainwrightError
from trainwright.recipe.yaml12 import parse

_LISTS = ("classes.txt", "obj.names", "_darknet.labels")


@dataclass
class YoloConfig:
    """Names, splits and keypoints.

    Attributes:
        file: Name of the file that says it, empty without one.
        classes: Name per class number.
        splits: Split -> folders or lists of pictures, as they stand there.
        points: Keypoints per object, None without any.
        point_names: Their names, empty where they have none.
        mirrored: For each keypoint its place in a mirror image, empty where nothing is said.
    """

    file: str = ""
    classes: dict[int, str] = field(default_factory=dict)
    splits: dict[str, list[str]] = field(default_factory=dict)
    points: PointShape | None = None
    point_names: tuple[str, ...] = ()
    mirrored: tuple[int, ...] = ()


def find_config(files: FileSet, named: str | None) -> YoloConfig:
    """The configuration of a data set: the file named, or the one found at its top, or an empty one.

    Raises:
        DataError: There is no such file, it cannot be read, or there are several to choose from.
    """
    if named is not None:
        if named not in files:
            raise DataError(
                f"{named} does not exist",
                where="data.source.config",
                why=f"looked in {files.root}",
                fix="give the path of the file, from the root of the data",
            )
        return read_config(files, named)
    tops = [name for name in files.directly_in("", [".yaml", ".yml"]) if _has_names(files, name)]
    if len(tops) > 1:
        raise DataError(
            f"there are {len(tops)} files with names of classes: {', '.join(tops)}",
            where=str(files.root),
            fix=f"name one of them: data.source.config: {tops[0]}",
        )
    if tops:
        return read_config(files, tops[0])
    lists = [name for name in files.names if PurePosixPath(name).name in _LISTS]
    return read_config(files, lists[0]) if lists else YoloConfig()


def read_config(files: FileSet, name: str) -> YoloConfig:
    """One file: YAML, or a name of a class per line."""
    if not name.endswith((".yaml", ".yml")):
        lines = files.read(name).decode("utf-8-sig", errors="replace").splitlines()
        words = [line.strip() for line in lines if line.strip()]
        return YoloConfig(name, dict(enumerate(words)))
    content = _load(files, name)
    config = YoloConfig(name, class_table(content.get("names") or content.get("classes"), files.where(name)))
    for split in ("train", "val", "test"):
        value = content.get(split) or (content.get("valid") if split == "val" else None)
        folders = value if isinstance(value, list) else [value]
        config.splits[split] = [folder for folder in folders if isinstance(folder, str) and folder]
    config.splits = {split: folders for split, folders in config.splits.items() if folders}
    _read_points(config, content, files.where(name))
    return config


def class_table(names: Any, where: str) -> dict[int, str]:
    """Name per number, from a list or a mapping. Raises `DataError` where it is neither."""
    if names is None:
        return {}
    pairs = (
        list(names.items())
        if isinstance(names, dict)
        else list(enumerate(names))
        if isinstance(names, list)
        else []
    )
    table = {int(key): str(name) for key, name in pairs if _is_number(key) and name is not None}
    if len(table) != len(pairs) or not pairs:
        raise DataError(
            "`names` is neither a list of names nor a mapping from numbers to names",
            where=where,
            fix="write names: [cat, dog]",
        )
    return table


def _read_points(config: YoloConfig, content: dict[str, Any], where: str) -> None:
    shape = content.get("kpt_shape")
    if shape is None:
        return
    if not (isinstance(shape, list) and len(shape) == 2 and all(type(n) is int for n in shape)):
        raise DataError(
            "`kpt_shape` is no list of two whole numbers", where=where, fix="write it as kpt_shape: [17, 3]"
        )
    if not (0 < shape[0] <= 10_000 and shape[1] in (2, 3)):
        raise DataError(
            f"`kpt_shape` {shape} is not [number of keypoints, 2 or 3]",
            where=where,
            fix="write it as kpt_shape: [17, 3]",
        )
    config.points = PointShape(*shape)
    flips, names = content.get("flip_idx"), content.get("kpt_names")
    if isinstance(flips, list) and sorted(map(str, flips)) == sorted(map(str, range(shape[0]))):
        config.mirrored = tuple(flips)
    if isinstance(names, dict) and names:
        names = next(iter(names.values()))
    if isinstance(names, list) and len(names) == shape[0]:
        config.point_names = tuple(map(str, names))


def _has_names(files: FileSet, name: str) -> bool:
    content = _load(files, name)
    return "names" in content or "train" in content


def _load(files: FileSet, name: str) -> dict[str, Any]:
    try:
        content = parse(files.read(name).decode("utf-8-sig"), files.where(name), {}).plain()
    except (UnicodeDecodeError, ValueError) as error:
        raise DataError(
            f"the file is no YAML text: {error}", where=files.where(name), fix="mend the file as YAML"
        ) from error
    except TrainwrightError as error:
        raise DataError(
            error.what, where=error.where or files.where(name), why=error.why, fix=error.fix
        ) from error
    return content if isinstance(content, dict) else {}


def _is_number(key: Any) -> bool:
    return type(key) is int or (isinstance(key, str) and key.isdigit() and len(key) < 10)
