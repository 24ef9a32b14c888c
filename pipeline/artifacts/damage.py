"""Damaged files of earlier stages: one line that names the file and the cure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thalweg.system.files import UserError, path_exists

CURE = "`thalweg run` makes it anew"


@contextmanager
def explain_damage(path: Path, *kinds: type[Exception], cure: str = CURE) -> Iterator[None]:
    """Turn errors of these kinds, raised while a file is read, into a `UserError` with the file and the cure.

    A file that the system does not let us read is not damaged; its error has its own advice.
    """
    try:
        yield
    except kinds as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        reason = reason.removeprefix(f"{path}: ")
        if not reason.startswith("cannot be read"):
            raise UserError(f"{path}: damaged: {reason}. {cure}.") from None
        if not path_exists(path):
            raise UserError(f"{path}: {reason}. {cure}.") from None
        raise
