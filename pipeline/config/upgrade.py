"""Old forms of params.yaml, and today's: what `thalweg upgrade` changes.

A rule is a function from the content of a file to the changes that it asks for. It changes what an earlier version
accepted and today's does not, and old names that today's still accepts. A new rule is one function and its name in
`RULES`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from thalweg.config.experiment import RENAMED_SECTIONS
from thalweg.config.model import MODEL_KINDS
from thalweg.config.write import replace_names
from thalweg.schema.problem import KeyPath, ParamsTree
from thalweg.system.members import MemberError, import_member, list_dotted_members

RENAMED_MODULES = {
    "pipeline.": "thalweg.",
    "models.": "thalweg.models.",
}
"""Beginnings of dotted paths up to version 0.1, and those that took their place in 0.2."""

NOT_SET = "not set"
"""The old form of a section that an earlier version did not ask for."""


@dataclass(frozen=True)
class Change:
    """A value that has an old form: where it stands, and both forms."""

    path: KeyPath
    old: Any
    new: Any

    @property
    def key(self) -> str:
        """The dotted path of the key whose value, or list of values, holds the old form."""
        return ".".join(step for step in self.path if isinstance(step, str))

    @property
    def is_added(self) -> bool:
        """Whether the file has no old form of this section."""
        return bool(self.old == NOT_SET)


def rename_report_sections(tree: ParamsTree) -> Iterator[Change]:
    """0.2: four sections of the report have other names. The old ones still work."""
    report = tree.get("report")
    names = report.get("sections") if isinstance(report, dict) else None
    for index, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str) and name in RENAMED_SECTIONS:
            yield Change(("report", "sections", index), name, RENAMED_SECTIONS[name])


def rename_modules(tree: ParamsTree) -> Iterator[Change]:
    """0.2: the one importable name is `thalweg`; `import pipeline` and `import models` are errors.

    A project's own packages `pipeline` and `models` keep their names, and so does text such as a title.
    """
    members = list_dotted_members(tree)
    renamed = {name: new for name in set(members.values()) if (new := _find_new_path(name))}
    for path, value in _list_leaves(tree):
        is_member = members.get(path) == value or _is_value_of_searched_kind(path)
        if is_member and isinstance(value, str) and value in renamed:
            yield Change(path, value, renamed[value])


def add_diagnose(tree: ParamsTree) -> Iterator[Change]:
    """0.2: the section `diagnose` must be there. Without it DVC ended the run before the report."""
    if "diagnose" not in tree:
        yield Change(("diagnose",), NOT_SET, {})


Rule = Callable[[ParamsTree], Iterator[Change]]
RULES: tuple[Rule, ...] = (rename_report_sections, rename_modules, add_diagnose)
"""All rules. Their order is that of the versions."""


def find_changes(tree: ParamsTree) -> list[Change]:
    """Return what in the content of a params file has an old form."""
    return [change for rule in RULES for change in rule(tree)]


def apply_changes(params: str, changes: list[Change]) -> str:
    """Return `params`, the text of a params file, with these changes."""
    return replace_names(params, {change.path: (change.old, change.new) for change in changes})


def _find_new_path(name: str) -> str:
    """Return today's name of a dotted path; '' if it has none, or if the path works as it is."""
    old = next((old for old in RENAMED_MODULES if name.startswith(old)), "")
    new = RENAMED_MODULES[old] + name.removeprefix(old) if old else ""
    if not new or _is_importable(name) or not _is_importable(new):
        return ""
    kind = new.removeprefix("thalweg.models.").removesuffix(".Model")
    return kind if kind in MODEL_KINDS else new


def _is_value_of_searched_kind(path: KeyPath) -> bool:
    """Return whether a condition, or a trial in `study.enqueue`, gives a kind its value here."""
    match path:
        case ("study", "space", _, "when", str(name), *_) | ("study", "enqueue", _, str(name)):
            return name.endswith(".kind")
    return False


def _is_importable(path: str) -> bool:
    try:
        import_member(path)
    except MemberError:
        return False
    return True


def _list_leaves(tree: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield each single value of nested mappings and lists, with the keys that lead to it."""
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else None
    if branches is None:
        yield path, tree
        return
    for key, value in branches:
        yield from _list_leaves(value, (*path, key))
