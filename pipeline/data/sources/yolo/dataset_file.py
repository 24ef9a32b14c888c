"""data.yaml and its like: the names of classes, and the images of each set."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from thalweg.data.labelled.box_source import BoxFiles
from thalweg.data.labelled.file_index import SPLIT_WORDS, FileIndex
from thalweg.system import files
from thalweg.system.counts import format_count, join_first
from thalweg.system.images import is_image_name

YAML_FILES = ("data.yaml", "dataset.yaml")
NAME_FILES = (*YAML_FILES, "classes.txt", "obj.names", "classes.names")
"""Files of class names, at the top or in labels/; the first that is there counts."""


def find_name_file(index: FileIndex) -> str:
    candidates = [folder + name for name in NAME_FILES for folder in ("", "labels/")]
    return next((name for name in candidates if name in index.known), "")


def read_names(path: Path, found: BoxFiles) -> tuple[str, ...]:
    """Read the names of the classes 0, 1, …. Raises `UserError` if there are none."""
    file = find_name_file(found.index)
    if not file:
        raise files.UserError(
            f"{path}: there is no list of class names ({', '.join(NAME_FILES)}); add classes.txt with a name in each "
            "line, or set data.source.classes"
        )
    found.used.add(file)
    if not file.endswith(".yaml"):
        lines = read_name_lines(path / file)
        if not all(lines):
            raise files.UserError(f"{path / file}:{lines.index('') + 1}: no name; each line names a class")
        return lines
    names = _read_yaml(path / file).get("names")
    if isinstance(names, dict):
        names = [names.get(number) for number in range(len(names))]
    if not names or not isinstance(names, list) or not all(isinstance(name, str | int) for name in names):
        raise files.UserError(f"{path / file}: `names` must list the names of the classes 0, 1, …")
    return tuple(map(str, names))


def read_name_lines(file: Path) -> tuple[str, ...]:
    """Read the lines of a list of names, without those that are blank at its end."""
    text = files.read_bytes(file).decode("utf-8-sig", errors="replace").rstrip()
    return tuple(line.strip() for line in text.splitlines())


def _read_yaml(file: Path) -> dict[Any, Any]:
    try:
        tree: Any = YAML(typ="safe", pure=True).load(files.read_bytes(file))
    except (YAMLError, ValueError) as error:
        raise files.UserError(f"{file}: not a YAML file ({' '.join(str(error).split()):.120})") from None
    return tree if isinstance(tree, dict) else {}


def read_sets(path: Path, found: BoxFiles) -> dict[str, list[str]]:
    """Read the splits of each image from the sets (train, val, test) of data.yaml: folders, or lists of images.

    Raises `UserError` that names each set that is not there. Without names of classes in the file, it may be broken.
    """
    file = next((name for name in YAML_FILES if name in found.index.known), "")
    if not file:
        return {}
    try:
        tree = _read_yaml(path / file)
    except files.UserError:
        if file in found.used:
            raise
        found.warnings.append(f"{file} is not used: it is not a YAML file")
        return {}
    found.used.add(file)
    sets = {str(key): value for key, value in tree.items() if str(key) in SPLIT_WORDS and value}
    shared = [key for key, value in sets.items() if list(sets.values()).count(value) > 1]
    if shared:
        found.warnings.append(f"{file}: {' and '.join(shared)} are the same images, so they mark no split")
    root = path / str(tree.get("path") or "")
    splits: dict[str, list[str]] = {}
    problems, missing = [], []
    for key in (key for key in sets if key not in shared):
        entries = [sets[key]] if isinstance(sets[key], str) else sets[key]
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            problems.append(f"{path / file}: `{key}` must be a folder or a list of images, or several of them")
            continue
        for entry in entries:
            images = _list_set_images(path, root, entry.replace("\\", "/"), found)
            if images is None:
                problems.append(
                    f"{path / file}: `{key}` is {entry}, but there is no such folder or list of images below {path}; "
                    "correct it, or remove the line"
                )
            for image in images or ():
                if image not in found.index.known:
                    missing.append(image)
                elif SPLIT_WORDS[key] not in splits.setdefault(image, []):
                    splits[image].append(SPLIT_WORDS[key])
    if problems:
        raise files.UserError("\n".join(problems))
    if missing:
        images_are = f"{format_count(len(missing), 'image')} of its sets {'is' if len(missing) == 1 else 'are'}"
        found.warnings.append(f"{file}: {images_are} not there: {join_first(missing)}")
    return splits


def _list_set_images(path: Path, root: Path, entry: str, found: BoxFiles) -> list[str] | None:
    """Return the images of a folder or list, which is written as a path from `root`, `path`, or a folder beside it.

    None if there is no such folder or list.
    """
    inside = entry
    while inside.startswith(("./", "../")):
        inside = inside.partition("/")[2]
    for target in (root / entry, path / entry, path / inside):
        name = PurePosixPath(os.path.relpath(target, path)).as_posix()
        if name in found.index.known and name.endswith(".txt"):
            found.used.add(name)
            lines = read_name_lines(target)
            return [_find_listed(line.replace("\\", "/"), (target.parent, root, path), found) for line in lines if line]
        folder = "" if name == "." else f"{name}/"
        if images := [other for other in found.index.names if other.startswith(folder) and is_image_name(other)]:
            return images
    return None


def _find_listed(line: str, folders: Sequence[Path], found: BoxFiles) -> str:
    """Return the image that a list names, if need be by the end of its path, as lists have paths of other computers."""
    parts = line.split("/")
    for start in range(len(parts)):
        image, _ = found.index.find_image("/".join(parts[start:]), "", *folders)
        if image in found.index.known:
            return image
    return line


def describe_other_names(path: Path, names: Sequence[str], found: BoxFiles) -> Iterator[str]:
    """Describe lists of names in folders of boxes that differ from the names in use; none of them is used."""
    for file in found.index.names:
        folders, name = file.split("/")[:-1], file.rsplit("/", 1)[-1]
        if "labels" in folders and name in NAME_FILES and file not in found.used:
            found.used.add(file)
            others = () if name in YAML_FILES else read_name_lines(path / file)
            if others and others != tuple(names):
                yield (
                    f"{file} is not used: it names other classes ({join_first(others)}) than those in use "
                    f"({join_first(names)})"
                )
