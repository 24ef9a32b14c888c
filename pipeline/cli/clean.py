"""`thalweg clean`: show what caches hold, by study and age, and remove what nothing needs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from thalweg.cli import caches
from thalweg.cli.answers import format_answer
from thalweg.cli.caches import Cache
from thalweg.system import dvc_command, files
from thalweg.system.counts import format_bytes, format_count, format_duration, join_first
from thalweg.system.files import UserError

SECONDS_PER_DAY = 86_400
FEW_DAYS = 2
"""Below these, an age is in hours."""
NAMES = {
    "compiled": "compiled programs",
    "results": "results, in DVC's cache",
    "database": "Optuna's database",
    "leftover": "leftovers",
    "other": "small files of commands",
}
"""What a part is called that belongs to no study."""
SHOWN_NEEDS = 3
"""Commits in a line that names who needs a part."""


@dataclass(frozen=True)
class CleanAnswer:
    """All parts of the caches. `bytes` counts the unneeded ones, or with `--remove` the removed ones."""

    caches: tuple[Cache, ...]
    bytes: int


@dataclass(frozen=True)
class Choice:
    """What may be removed beside what nothing needs, and for how many days it must have been unused."""

    older_than: float | None
    all_compiled: bool
    database: bool

    def is_unneeded(self, cache: Cache) -> bool:
        """Return whether a part may be removed. One that does not say whose it is needs an age."""
        asked = {"compiled": self.all_compiled, "database": self.database}.get(cache.kind, False)
        is_forgotten = cache.needed_by == (caches.UNKNOWN,) and self.older_than is not None
        days = (time.time() - cache.used) / SECONDS_PER_DAY
        return (asked or is_forgotten or not cache.needed_by) and days >= (self.older_than or 0)

    @property
    def options(self) -> str:
        """The options of the command line that make this choice."""
        age = [] if self.older_than is None else [f"--older-than {self.older_than:g}"]
        flags = {"--all-compiled": self.all_compiled, "--database": self.database}
        return "".join(f" {option}" for option in (*age, *(flag for flag, is_set in flags.items() if is_set)))


def clean_caches(choice: Choice, *, removes: bool, as_json: bool) -> None:
    """Show all parts of the caches, and remove those that nothing needs if asked."""
    if choice.older_than is not None and not choice.older_than >= 0:
        raise UserError(f"clean: --older-than: must be at least 0 days, not {choice.older_than:g}")
    listed = [
        replace(cache, fate="unneeded" if choice.is_unneeded(cache) else "kept") for cache in caches.list_caches()
    ]
    if removes:
        listed = [remove_cache(cache) if cache.fate == "unneeded" else cache for cache in listed]
    answer = CleanAnswer(tuple(listed), sum(cache.bytes for cache in listed if cache.fate != "kept"))
    print(format_answer(answer) if as_json else describe_caches(answer, choice, removes=removes))


def remove_cache(cache: Cache) -> Cache:
    """Remove a part, unless something uses it by now: a stage, an experiment of DVC, or the writer of a file."""
    path = Path(cache.path)
    match cache.kind:
        case "state":
            with files.lock_file(path / "lock", seconds=0) as is_free:
                if not is_free:
                    return replace(cache, fate="kept", needed_by=(caches.BUSY,))
                files.remove_folder(path)
        case "compiled":
            files.remove_folder(path)
        case "results":
            if users := caches.find_users():
                return replace(cache, fate="kept", needed_by=users)
            dvc_command.run_dvc("gc", *caches.choose_scope(dvc_command.read_dvc_settings()), "--force")
        case "leftover":
            if not files.remove_partial_write(path):
                return replace(cache, fate="kept", needed_by=(caches.WRITTEN,))
        case _:
            files.remove_file(path)
    return replace(cache, fate="removed")


def describe_caches(answer: CleanAnswer, choice: Choice, *, removes: bool) -> str:
    """Describe the parts in a table, those of a study in one row, and say what was or may be removed."""
    if not answer.caches:
        return "the caches are empty"
    rows = [("cache", "last used", "size", "needed by"), *map(_describe_row, _group_caches(answer.caches))]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{a:{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {d}".rstrip() for a, b, c, d in rows]
    kept = sum(cache.bytes for cache in answer.caches) - answer.bytes
    if removes:
        lines.append(f"removed {format_bytes(answer.bytes)}; {format_bytes(kept)} are left")
    elif answer.bytes:
        lines.append(f"`thalweg clean --remove{choice.options}` removes {format_bytes(answer.bytes)}")
    else:
        lines.append("everything is needed")
    return "\n".join(lines)


def _group_caches(listed: Sequence[Cache]) -> list[list[Cache]]:
    """Return the parts in rows: the states of a study with one fate, the newest first, then each other kind."""
    newest = {cache.experiment: cache.used for cache in sorted(listed, key=lambda cache: cache.used)}

    def name_row(cache: Cache) -> tuple[object, ...]:
        order = ["state", *NAMES].index(cache.kind)
        return order, -newest[cache.experiment] if order == 0 else 0, cache.experiment, cache.fate, cache.needed_by

    return [list(group) for _, group in groupby(sorted(listed, key=name_row), name_row)]


def _describe_row(row: list[Cache]) -> tuple[str, str, str, str]:
    first, newest = row[0], max(cache.used for cache in row)
    need = join_first(first.needed_by, SHOWN_NEEDS) or "nothing"
    return (
        NAMES.get(first.kind) or _name_study(row),
        format_age(time.time() - newest),
        format_bytes(sum(cache.bytes for cache in row)),
        "removed" if first.fate == "removed" else need,
    )


def _name_study(row: list[Cache]) -> str:
    trials = max(cache.trials for cache in row)
    size = f" ({format_count(trials, 'trial')})" if trials else ""
    return f"state: {row[0].study or 'of an unknown study'}{size}"


def format_age(seconds: float) -> str:
    """Format how long ago something was: `42 s ago`, `3.0 h ago`, `12 days ago`."""
    days = seconds / SECONDS_PER_DAY
    return f"{format_duration(max(seconds, 0)) if days < FEW_DAYS else f'{days:.0f} days'} ago"
