"""Guard a person's files: where a command may write."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from thalweg.system import files
from thalweg.system.images import has_image_text, is_image_name

IMAGE_MARK = {"Software": "thalweg predict"}
"""Text in each predicted PNG. A file with this text may be written again."""
MAX_LISTED = 5
"""Problems in one message."""


def check_outputs(
    tables: Mapping[Path, pd.DataFrame], images: Sequence[Path], inputs: Iterable[Path], *, force: bool
) -> None:
    """Check every file that a command will write, before it writes one. `tables` give the columns.

    Raises `UserError` if two results share a file, if a file is an input, or if there is a file that the command did
    not make; `force` allows only the last. A table is its own if it begins with its columns, an image if it has
    `IMAGE_MARK`.
    """
    input_files = {files.resolve_links(file) for file in inputs}
    problems = [
        f"{path}: {count} results would be written to this file; give the images different names"
        for path, count in Counter(images).items()
        if count > 1
    ]
    for path in dict.fromkeys([*tables, *images]):
        if files.resolve_links(path) in input_files:
            problems.append(f"{path}: is an input; choose another --out")
        elif not force and files.path_exists(path):
            is_own = _is_own_table(path, tables[path]) if path in tables else has_image_text(path, IMAGE_MARK)
            if not is_own:
                problems.append(f"{path}: exists; choose another --out, or overwrite it with --force")
    _raise_problems(problems)


def check_contents(
    folder: Path, contents: Mapping[str, bytes | Path], inputs: Iterable[Path], *, force: bool
) -> list[Path]:
    """Check the files below a folder, with these contents or copies of these files, before one is written.

    Return the files to remove first: with `force`, old copies of these files in other folders. Raises `UserError` if a
    file is an input, if there is a file with another content, which `force` allows, or if there is another file of a
    type that is written, which would be read with the new ones.
    """
    input_files = {files.resolve_links(file) for file in inputs}
    problems, old_copies = [], []
    for name, content in contents.items():
        path = folder / name
        if files.resolve_links(path) in input_files:
            problems.append(f"{path}: is an input; choose another --out")
        elif not force and files.path_exists(path):
            wanted = files.read_bytes(content) if isinstance(content, Path) else content
            if files.is_folder(path) or files.read_bytes(path) != wanted:
                problems.append(f"{path}: exists; choose another --out, or overwrite it with --force")
    for name in _list_similar_files(folder, contents):
        path = folder / name
        is_own = files.resolve_links(path) not in input_files and _is_copy(path, name, contents)
        if is_own and force:
            old_copies.append(path)
        else:
            advice = (
                "choose another --out, or remove it with --force" if is_own else "remove it, or choose another --out"
            )
            problems.append(f"{path}: would be read with the predictions; {advice}")
    _raise_problems(problems)
    return old_copies


def _list_similar_files(folder: Path, contents: Mapping[str, bytes | Path]) -> list[str]:
    """Return the other files below a folder that have a type of these contents; all images are of one type."""
    types = {_find_type(name) for name in contents}
    return [name for name in files.list_files(folder) if name not in contents and _find_type(name) in types]


def _find_type(name: str) -> str:
    return "image" if is_image_name(name) else PurePosixPath(name).suffix.lower()


def _is_copy(path: Path, name: str, contents: Mapping[str, bytes | Path]) -> bool:
    """Return whether a file is a copy of a file that is copied now, and has the same name in another top folder."""
    originals = [
        content
        for other, content in contents.items()
        if isinstance(content, Path) and other.partition("/")[2] == name.partition("/")[2]
    ]
    return any(files.read_bytes(original) == files.read_bytes(path) for original in originals)


def _raise_problems(problems: Sequence[str]) -> None:
    if problems:
        more = [f"and {len(problems) - MAX_LISTED} more files"] if len(problems) > MAX_LISTED else []
        raise files.UserError("\n".join([*problems[:MAX_LISTED], *more]))


def _is_own_table(path: Path, table: pd.DataFrame) -> bool:
    header = table.head(0).to_csv(index=False, lineterminator="\n")
    return not files.is_folder(path) and files.read_bytes(path).startswith(header.encode())
