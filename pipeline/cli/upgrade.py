"""Bring an old params file to today's form."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml.error import YAMLError

from thalweg.config.load import find_line
from thalweg.config.params_file import Fault, ParamsError, parse_params
from thalweg.config.upgrade import Change, apply_changes, find_changes
from thalweg.system import files
from thalweg.system.counts import format_count


def upgrade_params(file: Path, *, dry_run: bool) -> None:
    """Rewrite a params file in today's form, and print each change. A `dry_run` writes nothing.

    Raises `UserError` for a file that is not YAML.
    """
    content = files.read_bytes(file)
    found = _locate_changes(file, content)
    try:
        text = apply_changes(content.removeprefix(BOM_UTF8).decode(), [change for _, change in found])
    except YAMLError:  # a key that is there twice
        advice = f"Run `thalweg check {file}`, and correct it first"
        raise ParamsError(file, [Fault(0, f"cannot be rewritten. {advice}")]) from None
    for line, change in found:
        print(f"{f'line {line}: ' if line else ''}{change.key}: {change.old} -> {change.new}")
    if found and not dry_run:
        mark = BOM_UTF8.decode() if content.startswith(BOM_UTF8) else ""
        files.replace_text(file, mark + text)
    unwritten = "; nothing was written" if found and dry_run else ""
    print(f"{file}: {format_count(len(found), 'change') if found else 'nothing is old'}{unwritten}")


def list_old_names(file: Path) -> Iterator[str]:
    """Yield a hint for each old name in a good file: this version still accepts it."""
    for line, change in _locate_changes(file, files.read_bytes(file)):
        advice = f"`thalweg upgrade {file}` writes {change.new}"
        yield f"line {line}: {change.key}: {change.old} is an old name; {advice}"


def _locate_changes(file: Path, content: bytes) -> list[tuple[int, Change]]:
    """Return the changes that a file needs with their lines, in the file's order."""
    tree, node = parse_params(file, content)
    return sorted(
        ((find_line(node, change.path), change) for change in find_changes(tree)), key=lambda located: located[0]
    )
