"""The files of a data set, and how a label file names them."""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from thalweg.system import data_files, files
from thalweg.system.counts import format_count, join_first

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What folders and files of a split are called."""


@dataclass(frozen=True)
class FileIndex:
    """The files below `root`, by their paths relative to it, sorted. That path is an image's name.

    An image outside of `root` has a name that is absolute or begins with `../`.
    """

    root: Path
    names: tuple[str, ...]

    @cached_property
    def known(self) -> frozenset[str]:
        return frozenset(self.names)

    def has_file(self, name: str) -> bool:
        if name in self.known or not _is_outside(name):
            return name in self.known
        is_shortest = name.startswith("/") or os.path.relpath(self.root / name, self.root) == name
        return is_shortest and files.path_exists(self.root / name)

    def name_image(self, written: str, *folders: Path) -> str:
        """Return the name of the image that is written as a path: absolute, below `root`, or below one of `folders`.

        What is no file stays as it is written.
        """
        if written in self.known or not written:
            return written
        for folder in folders:
            file = folder / written
            if files.path_exists(file) and not files.is_folder(file):
                return self._name_file(file, is_absolute=written.startswith("/"))
        return written

    def _name_file(self, file: Path, *, is_absolute: bool) -> str:
        relative = PurePosixPath(os.path.relpath(file, self.root)).as_posix()
        if relative in self.known:
            return relative
        target, root = files.resolve_links(file), files.resolve_links(self.root)
        if target.is_relative_to(root) and (name := target.relative_to(root).as_posix()) in self.known:
            return name
        return file.as_posix() if is_absolute else relative

    def find_image(self, written: str, split: str, *folders: Path) -> tuple[str, str]:
        """Return the name of an image, and what is wrong with it: as `name_image`, or the one file that ends so.

        Of several such files, the one in a folder of the split is meant.
        """
        name = self.name_image(written, *folders)
        if self.has_file(name):
            return name, ""
        ends = self._list_ends(written)
        if len(ends) > 1 and split:
            ends = [end for end in ends if find_folder_split(end) == split] or ends
        if len(ends) > 1:
            return written, f"several files end with this path: {join_first(ends)}"
        return (ends[0] if ends else written), ""

    def _list_ends(self, written: str) -> list[str]:
        """Return the files whose paths end with a written path."""
        end = PurePosixPath(written.replace("\\", "/")).as_posix()
        return [name for name in self._by_file_name.get(end.rsplit("/", 1)[-1], ()) if f"/{name}".endswith(f"/{end}")]

    @cached_property
    def _by_file_name(self) -> Mapping[str, list[str]]:
        by_name: dict[str, list[str]] = {}
        for name in self.names:
            by_name.setdefault(name.rsplit("/", 1)[-1], []).append(name)
        return by_name

    def suggest_name(self, written: str) -> str:
        """Return the file that a name probably means; '' if there is none."""
        return self._by_path.get(_fold_name(written, True)) or self._by_end.get(_fold_name(written, False)) or ""

    @cached_property
    def _by_path(self) -> dict[str, str]:
        return {_fold_name(name, True): name for name in self.names}

    @cached_property
    def _by_end(self) -> dict[str, str]:
        return {_fold_name(name, False): name for name in self.names}

    def describe_outside(self, path: Path, names: Iterable[str]) -> Iterator[str]:
        """Describe the images that do not lie below the folder `path`."""
        others = [name for name in names if name not in self.known and _is_outside(name)]
        far = [name for name in others if os.path.relpath(self.root / name, path).startswith("../")]
        if far:
            images = f"{format_count(len(far), 'image')} {'lies' if len(far) == 1 else 'lie'}"
            yield f"{images} outside of {path}, where DVC does not see changes: {join_first(far)}"


def index_files(root: Path, warnings: list[str]) -> FileIndex:
    """List the files below `root`. Those that no table can name go to `warnings`."""
    names = files.list_files(root)
    faults = data_files.find_name_faults(names)
    warnings += faults.values()
    return FileIndex(root, tuple(name for name in names if name not in faults))


def find_split(text: str) -> str:
    """Return the split that a word of a text names, the last such word; '' if there is none."""
    words = re.findall(r"[a-z]+", text.lower())
    return next((SPLIT_WORDS[word] for word in reversed(words) if word in SPLIT_WORDS), "")


def find_folder_split(name: str) -> str:
    """Return the split of the innermost folder of a path that is called like one, such as `val` or `train2017`."""
    folders = [part.lower().rstrip("0123456789") for part in name.split("/")[:-1]]
    return next((SPLIT_WORDS[folder] for folder in reversed(folders) if folder in SPLIT_WORDS), "")


def _is_outside(name: str) -> bool:
    return name.startswith(("/", "../"))


def _fold_name(path: str, is_path: bool) -> str:
    """Return a path, or its last part, without what differs between systems: case, Unicode form, backslashes."""
    folded = unicodedata.normalize("NFC", path).casefold().replace("\\", "/").removeprefix("./")
    return folded if is_path else folded.rsplit("/", 1)[-1]
