"""Say why a study starts from nothing although another one lies in .thalweg/: name each part that differs."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from thalweg.config.tree import flatten_tree
from thalweg.schema.problem import MAX_QUOTED_CHARACTERS
from thalweg.system import files

Facts = dict[str, Any]
"""What a study's fingerprint is made of (`thalweg.artifacts.fingerprint.describe_study`)."""
FACTS_FILE = "made-of.json"
JOURNAL = "journal.jsonl"
MAX_SHOWN = 5
"""Number of differences in the line."""


def explain_fresh_start(folder: Path, facts: Facts) -> str:
    """Return one line on how the most similar other study differs; '' if this one goes on, or there is no other.

    `folder` is the state folder of this study. Its facts are kept there for the next one.
    """
    is_fresh = not files.path_exists(folder / JOURNAL)
    if is_fresh or not files.path_exists(folder / FACTS_FILE):
        with suppress(files.UserError):  # the journal, which must be written, lies beside it
            files.write_json(folder / FACTS_FILE, facts)
    others = [(find_differences(other, facts), name) for name, other in _read_others(folder)] if is_fresh else []
    if not others:
        return ""
    differences, name = min(others, key=lambda other: (len(other[0]), other[1]))
    listed = [*differences[:MAX_SHOWN], *([f"{len(differences) - MAX_SHOWN} more"] if differences[MAX_SHOWN:] else [])]
    return f"This study starts from nothing. The one in {folder.parent / name} differs in {'; '.join(listed)}."


def find_differences(before: Facts, now: Facts) -> list[str]:
    """Return each part that differs, params first, with its values."""
    # as they come back from JSON: tuples are lists
    old, new = (dict(flatten_tree(json.loads(json.dumps(facts)))) for facts in (before, now))
    changed = [path for path in (*new, *(path for path in old if path not in new)) if old.get(path) != new.get(path)]
    changed.sort(key=lambda path: not path.startswith("params."))
    return [_describe_difference(path, old.get(path), new.get(path)) for path in changed]


def _describe_difference(path: str, old: Any, new: Any) -> str:
    section, _, name = path.partition(".")
    values = [json.dumps(value, ensure_ascii=False)[:MAX_QUOTED_CHARACTERS] for value in (old, new)]
    match section:
        case "code":
            return f"the code of {name}"
        case "data":
            return "the prepared examples"
        case "processor":
            return f"the processor ({old}, now {new})"
        case "flags":
            name = "XLA_FLAGS"
    return f"{name} ({values[0]}, now {values[1]})"


def _read_others(folder: Path) -> Iterator[tuple[str, Facts]]:
    """Return the name and the facts of each other study that has begun; skip unreadable facts."""
    for other in files.find_files(folder.parent, "*"):
        try:
            has_begun = files.path_exists(other / FACTS_FILE) and files.path_exists(other / JOURNAL)
            facts = files.read_json(other / FACTS_FILE) if has_begun and other.name != folder.name else None
        except files.UserError:
            continue
        if isinstance(facts, dict):
            yield other.name, facts
