"""Damaged files of earlier stages: one line that names the file and the cure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thalweg.system.files import UserError

CURE = "`dvc repro` makes it anew"


@contextmanager
def explain_damage(path: Path, *kinds: type[Exception]) -> Iterator[None]:
    """Turn errors of these kinds, raised while a file is read, into a `UserError` with the file and the cure."""
    try:
        yield
    except kinds as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise UserError(f"{path}: damaged: {reason.removeprefix(f'{path}: ')}. {CURE}.") from None
