"""Read params.yaml and report all of its errors at once, each with its line."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from thalweg.config.checks import find_problems
from thalweg.config.experiment import Config
from thalweg.config.params_file import Fault, ParamsError, parse_params
from thalweg.config.upgrade import Change, find_changes
from thalweg.schema.problem import KeyPath, ParamsTree, Problem
from thalweg.system import files
from thalweg.system.members import MemberError, blame_member, describe_error, list_dotted_members


def load_config(
    file: Path,
    find_more_problems: Callable[[ParamsTree, list[Problem]], Iterable[Problem]] = lambda _tree, _found: (),
    content: bytes | None = None,
) -> Config:
    """Read the experiment in a params file. Raises `ParamsError` with every error in it.

    `find_more_problems` gets the file's content and the problems found so far; it returns further ones. `content` is
    what the file holds, if it has been read already.
    """
    tree, node = parse_params(file, files.read_bytes(file) if content is None else content)
    problems = find_problems(tree)
    problems += find_more_problems(tree, problems)
    changes = find_changes(tree) if problems else []
    errors = [
        (find_line(node, problem.path), problem.describe_problem() + _advise_upgrade(file, problem, changes))
        for problem in problems
    ]
    errors += [(line, problem.describe_problem()) for line, problem in _find_repeated_keys(node)]
    if errors:
        ordered = dict.fromkeys(sorted(errors, key=lambda error: error[0]))
        raise ParamsError(file, [Fault(line, text) for line, text in ordered], has_count=True)
    return Config.model_validate(tree)


@contextmanager
def locate_own_faults(file: Path, content: bytes) -> Iterator[None]:
    """Turn what own code raises into a `ParamsError` with the line where `content`, of a params file, names it."""
    try:
        yield
    except Exception as error:
        tree, node = parse_params(file, content)
        members = list_dotted_members(tree)
        path = error.member if isinstance(error, MemberError) else blame_member(error, members.values())
        if not path or (isinstance(error, files.UserError) and not isinstance(error, MemberError)):
            raise
        keys = next((keys for keys, member in members.items() if f"{path}.".startswith(f"{member}.")), ())
        fault = str(error) if isinstance(error, MemberError) else f"`{path}` fails: {describe_error(error)}"
        found = Fault(find_line(node, keys), Problem(keys, fault).describe_problem())
        raise ParamsError(file, [found]) from error


def _advise_upgrade(file: Path, problem: Problem, changes: list[Change]) -> str:
    """Return what to do about a problem of an old form; '' for other problems."""
    for change in changes:
        length = min(len(change.path), len(problem.path))
        if change.path[:length] == problem.path[:length]:
            written = f"adds `{change.key}: {change.new}`" if change.is_added else f"writes `{change.new}`"
            return f"; `thalweg upgrade {file}` {written}"
    return ""


def find_line(node: Node, path: KeyPath) -> int:
    """Return the line of the deepest step of `path` that is in the file, from 1; 0 if its first step is not."""
    line, steps = -1, list(path)
    while steps:
        step, inner = steps.pop(0), None
        if isinstance(node, MappingNode):
            inner = next((pair for pair in reversed(node.value) if pair[0].value == step), None)
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner = node.value[step], node.value[step]
        if inner is None and isinstance(step, str) and "." in step:
            steps = [*step.split("."), *steps]  # a dotted path may be written as keys within keys
            continue
        if inner is None:
            break
        line, node = inner[0].start_mark.line, inner[1]
    return int(line) + 1


def _find_repeated_keys(node: Node, path: KeyPath = ()) -> Iterator[tuple[int, Problem]]:
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _find_repeated_keys(item, (*path, index))
    if isinstance(node, MappingNode):
        first_lines: dict[str, int] = {}
        for name, value in node.value:
            key, line = str(name.value), name.start_mark.line + 1
            if key in first_lines:
                yield line, Problem((*path, key), f"duplicate key, first used in line {first_lines[key]}")
            first_lines.setdefault(key, line)
            yield from _find_repeated_keys(value, (*path, key))
