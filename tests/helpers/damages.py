"""What can happen to a file on disk, and which of a project's files each command reads."""

import fnmatch
import random
from collections.abc import Callable
from pathlib import Path, PurePosixPath

Damage = Callable[[bytes, random.Random, bytes], bytes | None]
"""(content, random draws, content of another valid file of the kind) -> content; None: the file is gone."""


def cut(content: bytes, draw: random.Random, _: bytes) -> bytes:
    return content[: draw.randrange(len(content) or 1)]


def flip(content: bytes, draw: random.Random, _: bytes) -> bytes:
    """Change one bit."""
    position = draw.randrange(len(content) or 1)
    changed = bytearray(content or b"\0")
    changed[position] ^= 1 << draw.randrange(8)
    return bytes(changed)


def zero(content: bytes, draw: random.Random, _: bytes) -> bytes:
    """Write NULs over a part, as some file systems do after a power cut."""
    start = draw.randrange(len(content) or 1)
    end = draw.randrange(start, len(content) + 1)
    return content[:start] + b"\0" * (end - start) + content[end:]


DAMAGES: dict[str, Damage] = {
    "cut": cut,
    "flipped": flip,
    "zeroed": zero,
    "emptied": lambda *_: b"",
    "garbage": lambda _content, draw, _other: draw.randbytes(50),
    "replaced": lambda _content, _draw, other: other,
    "removed": lambda *_: None,
}


def damage_file(file: Path, kind: str, draw: random.Random, other: bytes) -> bool:
    """Damage a file; return whether it differs from before."""
    before = file.read_bytes()
    after = DAMAGES[kind](before, draw, other)
    file.chmod(0o644)
    file.unlink()  # it may be a link into DVC's cache
    if after is not None:
        file.write_bytes(after)
    return after != before


OTHERS = {
    "lock": "only locked, never read",
    "studies.db": "Optuna's storage, a view",
    "studies.lock": "only locked, never read",
    "timing.json": "measurements, a view",
    "made-of.json": "only says what differs; tests/artifacts/test_fresh_start.py damages it",
    "made-for.json": "only says whose the state is; tests/artifacts/test_state_card.py damages it",
    "last-stage.json": "only says whether the first line was printed",
    "expected-times.json": "only says how long stages may take",
    "written-params.sha256": "only lets `thalweg use` replace params.yaml without --force",
    ".gitignore": "the project's, or written by DVC",
}
"""Files by name that no result is made from, with the reason."""


READERS = {
    "artifacts/model/*": ("thalweg", "predict", "artifacts/confirm/pictures", "--out", "predicted.csv"),
    "artifacts/prepared/*": ("thalweg", "study"),
    "artifacts/augmented/*.np[yz]": ("thalweg", "study"),
    "artifacts/baseline/weights.msgpack": ("thalweg", "stage", "evaluate"),
    "artifacts/study/found.json": ("thalweg", "stage", "confirm"),
    "artifacts/**": ("dvc", "repro"),
    "reports/**": ("dvc", "repro"),
    ".thalweg/*/journal.jsonl": ("thalweg", "stage", "study"),
    ".thalweg/*/candidates/*": ("thalweg", "stage", "confirm"),
    ".thalweg/*/less/*": ("thalweg", "stage", "diagnose"),
    ".thalweg/*/landscape.json": ("thalweg", "stage", "diagnose"),
    ".thalweg/*/refit of */*": ("thalweg", "stage", "confirm"),
    ".thalweg/*/snapshot.npz": ("thalweg", "stage", "train"),
    ".thalweg/compiled/**": ("thalweg", "stage", "evaluate"),
    ".thalweg/vega-*": ("thalweg", "stage", "report"),
}
"""Commands that read a file, by patterns of its path; the first that fits counts.

Outputs of stages that no other command reads are compared with dvc.lock by `dvc repro`.
"""


def list_read_files(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return every file that the project in `folder` wrote and reads, with the command that reads it.

    Raises `StopIteration` for a file that the table does not know.
    """
    files = [file for top in (".thalweg", "artifacts", "reports") for file in sorted((folder / top).rglob("*"))]
    names = [file.relative_to(folder).as_posix() for file in files if file.is_file()]
    return {name: find_reader(name) for name in names if not {PurePosixPath(name).name} & {*OTHERS}}


def find_reader(name: str) -> tuple[str, ...]:
    return next(
        command for pattern, command in READERS.items() if fnmatch.fnmatchcase(name, pattern.replace("**", "*"))
    )
