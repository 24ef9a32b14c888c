"""Read params.yaml and report all of its errors at once, each with its line."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from thalweg.config import yaml_errors
from thalweg.config.checks import find_problems
from thalweg.config.experiment import Config
from thalweg.schema.problem import KeyPath, ParamsTree, Problem, describe_value
from thalweg.system import files
from thalweg.system.counts import format_count


class ParamsError(files.UserError):
    """A params file with errors; the message has a line for each."""


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
    errors = [(_find_line(node, problem.path), problem.describe_problem()) for problem in problems]
    errors += [(line, problem.describe_problem()) for line, problem in _find_repeated_keys(node)]
    if errors:
        errors = list(dict.fromkeys(sorted(errors, key=lambda error: error[0])))
        lines = [f"{file}:{line}: {text}" if line else f"{file}: {text}" for line, text in errors]
        raise ParamsError("\n".join([*lines, f"{format_count(len(lines), 'error')} in {file}"]))
    return Config.model_validate(tree)


def parse_params(file: Path, content: bytes) -> tuple[ParamsTree, Node]:
    """Return a file's content as plain values, and as nodes with their lines. Raises `ParamsError` without one."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ParamsError(f"{file}:{line}: not UTF-8 text ({error.reason}); save it as UTF-8") from None
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True  # reported with the other errors
    try:
        node = yaml.compose(text)
        tree = _stringify_keys(node and yaml.constructor.construct_document(node))
    except MarkedYAMLError as error:
        line, message = yaml_errors.explain_yaml_error(error, text)
        raise ParamsError(f"{file}:{line}:{message}") from None
    except YAMLError as error:
        line = text[: getattr(error, "position", 0)].count("\n") + 1
        raise ParamsError(f"{file}:{line}: not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ParamsError(f"{file}:1: not valid YAML: nested too deeply, or a section contains itself") from None
    except Exception as error:  # values of special types, such as impossible dates, raise many kinds
        line = next((leaf.start_mark.line for leaf in _list_scalars(node) if not _is_constructible(yaml, leaf)), 0) + 1
        raise ParamsError(f"{file}:{line}: not valid YAML: a value cannot be read ({error})") from None
    if not isinstance(tree, dict):
        kind, sections = "empty" if tree is None else describe_value(tree), ", ".join(Config.model_fields)
        raise ParamsError(f"{file}:1: the file is {kind}; it must have the sections {sections}")
    return tree, node


def _list_scalars(node: Node) -> Iterator[Node]:
    if isinstance(node, ScalarNode):
        yield node
    for inner in node.value if isinstance(node, MappingNode | SequenceNode) else ():
        for child in inner if isinstance(inner, tuple) else (inner,):
            yield from _list_scalars(child)


def _is_constructible(yaml: YAML, node: Node) -> bool:
    try:
        yaml.constructor.construct_document(node)
    except Exception:  # of any kind
        return False
    return True


def _stringify_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {k if isinstance(k, str) else describe_value(k): _stringify_keys(item) for k, item in value.items()}
    return [_stringify_keys(item) for item in value] if isinstance(value, list) else value


def _find_line(node: Node, path: KeyPath) -> int:
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
