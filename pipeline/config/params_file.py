"""Read params.yaml as plain values, and as nodes with their lines. Nothing here needs JAX."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from thalweg.config import yaml_errors
from thalweg.schema.problem import ParamsTree, describe_value
from thalweg.system import files
from thalweg.system.counts import format_count


class Fault(NamedTuple):
    """An error in a params file: its line, from 1 (0: no line has it), what is wrong, and the column if it is known."""

    line: int
    message: str
    column: int = 0


def format_fault(file: Path | str, line: int, message: str, column: int = 0) -> str:
    """Format an error with its place: `params.yaml:3: ...`, without a line that is 0."""
    return ":".join([str(file), *(str(number) for number in (line, column) if number)]) + f": {message}"


class ParamsError(files.UserError):
    """A params file with errors, its `faults`; the message has a line for each, and at its end their number."""

    def __init__(self, file: Path | str, faults: Sequence[Fault], *, has_count: bool = False) -> None:
        lines = [format_fault(file, *fault) for fault in faults]
        count = [f"{format_count(len(lines), 'error')} in {file}"] if has_count else []
        super().__init__("\n".join([*lines, *count]))
        self.faults = tuple(faults)


def parse_params(file: Path, content: bytes) -> tuple[ParamsTree, Node]:
    """Return a file's content as plain values, and as nodes with their lines. Raises `ParamsError` without one."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ParamsError(file, [Fault(line, f"not UTF-8 text ({error.reason}); save it as UTF-8")]) from None
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True  # reported with the other errors
    try:
        node = yaml.compose(text)
        tree = _stringify_keys(node and yaml.constructor.construct_document(node))
    except MarkedYAMLError as error:
        raise ParamsError(file, [Fault(*yaml_errors.explain_yaml_error(error, text))]) from None
    except YAMLError as error:
        line = text[: getattr(error, "position", 0)].count("\n") + 1
        raise ParamsError(file, [Fault(line, f"not valid YAML: {str(error).splitlines()[0]}")]) from None
    except RecursionError:
        message = "not valid YAML: nested too deeply, or a section contains itself"
        raise ParamsError(file, [Fault(1, message)]) from None
    except Exception as error:  # values of special types, such as impossible dates, raise many kinds
        line = next((leaf.start_mark.line for leaf in _list_scalars(node) if not _is_constructible(yaml, leaf)), 0) + 1
        raise ParamsError(file, [Fault(line, f"not valid YAML: a value cannot be read ({error})")]) from None
    if not isinstance(tree, dict):
        from thalweg.config.experiment import Config  # imports JAX

        kind, sections = "empty" if tree is None else describe_value(tree), ", ".join(Config.model_fields)
        raise ParamsError(file, [Fault(1, f"the file is {kind}; it must have the sections {sections}")])
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
