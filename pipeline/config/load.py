"""Reads params.yaml and names everything that is wrong with it, all at once, each with its line."""

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


class ParamsError(files.UserError):
    """A params file with errors; the message has a line for each."""


def load_config(
    file: Path, find_more_problems: Callable[[ParamsTree, list[Problem]], Iterable[Problem]] = lambda _tree, _wrong: ()
) -> Config:
    """The experiment in a params file. Raises `ParamsError` with every error in it.

    `find_more_problems` finds what is wrong beside the file's own mistakes, which it is given with the file's content.
    """
    tree, node = _parse_params(file)
    wrong = find_problems(tree)
    wrong += find_more_problems(tree, wrong)
    found = [(_find_line(node, problem.path), problem.describe_problem()) for problem in wrong]
    found += [(line, Problem(path, what).describe_problem()) for path, what, line in _find_repeated_keys(node)]
    if found:
        lines = [f"{file}:{line}: {text}" for line, text in dict.fromkeys(sorted(found, key=lambda one: one[0]))]
        raise ParamsError("\n".join([*lines, f"{len(lines)} error{'s' if len(lines) > 1 else ''} in {file}"]))
    return Config.model_validate(tree)


def _parse_params(file: Path) -> tuple[ParamsTree, Node]:
    """A file's content as plain values, and as nodes, which know their lines."""
    content = files.read_bytes(file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ParamsError(f"{file}:{line}: not UTF-8 text ({error.reason}); save it as UTF-8") from None
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True  # they are named with the other errors
    try:
        node = yaml.compose(text)
        tree = _stringify_keys(node and yaml.constructor.construct_document(node))
    except MarkedYAMLError as error:
        line, what = yaml_errors.explain_yaml_error(error, text)
        raise ParamsError(f"{file}:{line}:{what}") from None
    except YAMLError as error:
        line = text[: getattr(error, "position", 0)].count("\n") + 1
        raise ParamsError(f"{file}:{line}: not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise ParamsError(f"{file}:1: not valid YAML: nested too deeply, or a part holds itself") from None
    except Exception as error:  # values with a tag of their own, such as impossible dates, raise many kinds
        line = next((one.start_mark.line for one in _list_scalars(node) if not _is_constructible(yaml, one)), 0) + 1
        raise ParamsError(f"{file}:{line}: not valid YAML: a value cannot be read ({error})") from None
    if not isinstance(tree, dict):
        empty = "is empty" if tree is None else f"is {describe_value(tree)}"
        raise ParamsError(f"{file}:1: {empty}; it must have the parts {', '.join(Config.model_fields)}")
    return tree, node


def _list_scalars(node: Node) -> Iterator[Node]:
    if isinstance(node, ScalarNode):
        yield node
    for inner in node.value if isinstance(node, MappingNode | SequenceNode) else ():
        for one in inner if isinstance(inner, tuple) else (inner,):
            yield from _list_scalars(one)


def _is_constructible(yaml: YAML, node: Node) -> bool:
    try:
        yaml.constructor.construct_document(node)
    except Exception:  # of whatever kind
        return False
    return True


def _stringify_keys(value: Any) -> Any:
    """The same with text for every key."""
    if isinstance(value, dict):
        return {
            name if isinstance(name, str) else describe_value(name): _stringify_keys(item)
            for name, item in value.items()
        }
    return [_stringify_keys(item) for item in value] if isinstance(value, list) else value


def _find_line(node: Node, path: KeyPath) -> int:
    """The line of the deepest part of `path` that is in the file, counted from 1."""
    line = node.start_mark.line
    for step in path:
        inner = None
        if isinstance(node, MappingNode):
            inner = next((pair for pair in reversed(node.value) if pair[0].value == step), None)
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner = node.value[step], node.value[step]
        if inner is None:
            break
        line, node = inner[0].start_mark.line, inner[1]
    return int(line) + 1


def _find_repeated_keys(node: Node, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str, int]]:
    """Each key that its mapping has already: its path, what to say, and its line."""
    if isinstance(node, SequenceNode):
        for place, item in enumerate(node.value):
            yield from _find_repeated_keys(item, (*path, place))
    if isinstance(node, MappingNode):
        first: dict[str, int] = {}
        for name, value in node.value:
            key, line = str(name.value), name.start_mark.line + 1
            if key in first:
                yield (*path, key), f"is here a second time; it was in line {first[key]}", line
            first.setdefault(key, line)
            yield from _find_repeated_keys(value, (*path, key))
