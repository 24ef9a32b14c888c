"""What differs between two studies beside their results: params, data, code and versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from thalweg.config.tree import flatten_tree
from thalweg.diff.study import Study
from thalweg.system import git

SPACE = "study.space"
MAX_DIGEST_CHARACTERS = 12
FILE_CHANGES = {"A": (None, "added"), "D": ("there", None)}
"""A file in two commits, by the letter of git; any other letter: it was edited."""


@dataclass(frozen=True)
class Change:
    """A value by name, of A and of B; null: not there. A setting that is not there has its default."""

    name: str
    a: Any
    b: Any


def pair_values(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Change, ...]:
    """List the names whose values differ, in the order of A, then of B."""
    pairs = ((name, a.get(name), b.get(name)) for name in {**a, **b})
    return tuple(Change(name, one, other) for name, one, other in pairs if one != other)


def compare_params(a: Study, b: Study) -> tuple[Change, ...]:
    """Compare the params, but for the search space."""
    return pair_values(*(_list_settings(study) for study in (a, b)))


def _list_settings(study: Study) -> dict[str, Any]:
    return {path: value for path, value in flatten_tree(study.params) if not path.startswith(f"{SPACE}.")}


def compare_winners(a: Study, b: Study) -> tuple[Change, ...]:
    """Compare the winners' values of what either study searched."""
    names = dict.fromkeys(parameter.name for study in (a, b) for parameter in study.space)
    values = [dict(flatten_tree(study.winner)) for study in (a, b)]
    return pair_values(*({name: found[name] for name in names if name in found} for found in values))


def compare_data(a: Study, b: Study) -> tuple[Change, ...]:
    """Compare the prepared data: the source, the size of each set, the digests of all data and of the test part."""
    return pair_values(*(_describe_data(study) for study in (a, b)))


def _describe_data(study: Study) -> dict[str, Any]:
    manifest, judged = study.manifest, study.judged
    facts = {"source": manifest.get("source"), "image": manifest.get("image")}
    for kind in ("examples", "groups"):
        facts |= {f"{part} {kind}": count for part, count in manifest.get(kind, {}).items()}
    if manifest:
        facts["all data"] = _shorten_digest(manifest["sha256"])
    if judged:
        facts[f"{judged.part} set"] = _shorten_digest(judged.sha256)
    return facts


def _shorten_digest(digest: str) -> str:
    return f"sha256 {digest[:MAX_DIGEST_CHARACTERS]}…"


def compare_code(a: Study, b: Study) -> tuple[Change, ...]:
    """Compare the user's own code that the studies ran; of two commits also all other Python files."""
    own = pair_values(*(_describe_code(study) for study in (a, b))) if a.code and b.code else ()
    known = {change.name for change in own}
    return (*own, *(change for change in _compare_files(a, b) if _name_module(change.name) not in known))


def _describe_code(study: Study) -> dict[str, str]:
    return {name: _shorten_digest(digest) for name, digest in study.code.get("code", {}).items()}


def _name_module(file: str) -> str:
    return PurePosixPath(file).with_suffix("").as_posix().replace("/", ".")


def _compare_files(a: Study, b: Study) -> Iterator[Change]:
    commits = [study.place.commit for study in (a, b)]
    if not all(commits):
        return
    listed = git.run_git("diff", "--relative", "--name-status", "--no-renames", *commits, "--", "*.py")
    for line in (listed or "").splitlines():
        status, name = line.split("\t", 1)
        before, after = FILE_CHANGES.get(status, ("there", "edited"))
        yield Change(name, before, after)


def compare_versions(a: Study, b: Study) -> tuple[Change, ...]:
    """Compare Thalweg, the libraries and the device."""
    return pair_values(*(_list_versions(study) for study in (a, b)))


def _list_versions(study: Study) -> dict[str, str]:
    made = study.record.made if study.record else None
    own = {"thalweg": study.code["thalweg"], **study.code["libraries"]} if study.code else {}
    return own | (made.versions | {"device": made.device} if made else {})
