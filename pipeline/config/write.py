"""Write other values into a params file; comments, and lines without a new value, stay as they are."""

import copy
from collections.abc import Mapping
from difflib import SequenceMatcher
from io import StringIO
from itertools import pairwise
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedBase
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from thalweg.schema.problem import KeyPath

SPACE = "study.space."
"""The part of a params file whose keys are dotted paths."""


def rewrite_params(params: str, values: Mapping[str, Any]) -> str:
    """Return `params`, the text of a params file, with `values` at their dotted paths.

    A number in a path is a place in a list, from 0.
    """
    yaml = YAML(typ="rt")
    yaml.width, yaml.preserve_quotes = 4096, True
    mapping, offset = _guess_indents(params)
    yaml.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    tree = yaml.load(params)
    before = _dump_tree(yaml, tree)
    for path, value in sorted(values.items()):
        keys = path.split(".")
        if path.startswith(SPACE) and isinstance(value, Mapping):  # a searched parameter, whose name is a dotted path
            keys = [*keys[: SPACE.count(".")], path.removeprefix(SPACE)]
        _set_value(tree, keys, value)
    return _keep_lines(params, before, _dump_tree(yaml, tree))


def replace_names(params: str, names: Mapping[KeyPath, tuple[str, str]]) -> str:
    """Return `params`, the text of a params file, with other names; `names` has the old and the new one by path.

    All else stays as it is written. What an alias may use in another place is rewritten by `rewrite_params`.
    Raises `YAMLError` for a key that is there twice.
    """
    _load_values(params)
    root, parts, others = YAML(typ="safe", pure=True).compose(params), [], {}
    for path, (old, new) in names.items():
        node = _find_scalar(root, path)
        start, end = (node.start_mark.index, node.end_mark.index) if node else (0, 0)
        if params[start:end] in (old, f"'{old}'", f'"{old}"'):
            parts.append((start, end, params[start:end].replace(old, new)))
        else:
            others[".".join(map(str, path))] = new
    for start, end, text in sorted(parts, reverse=True):
        params = params[:start] + text + params[end:]
    return rewrite_params(params, others) if others else params


def format_inline(value: Any) -> str:
    """Return a value as YAML on one line; a text that a reader would take for something else is in quotes."""
    writer, text = YAML(typ="safe", pure=True), StringIO()
    writer.version = (1, 1)  # its readers take a bare `no` for false, so it is quoted
    writer.default_flow_style, writer.width = True, 10_000
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(value, text)
    return text.getvalue().splitlines()[1].removeprefix("--- ")


def _find_scalar(node: Node | None, path: KeyPath) -> ScalarNode | None:
    """Return the single value at a path; None if it, or a section around it, has an alias, or is not there."""
    for step in path:
        if node is None or node.anchor:
            return None
        if isinstance(node, MappingNode):
            node = next((value for key, value in node.value if key.value == step), None)
        else:
            node = node.value[step] if isinstance(node, SequenceNode) else None
    return node if isinstance(node, ScalarNode) and not node.anchor else None


def _guess_indents(params: str) -> tuple[int, int]:
    """Return by how much a section is indented, and the dash of a list; as it is first in the text."""
    lines = [line for line in params.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    mapping, offset = 2, 0
    for above, below in reversed([*pairwise(lines)]):
        deeper = len(below) - len(below.lstrip()) - (len(above) - len(above.lstrip()))
        is_open = above.split(" #")[0].rstrip().endswith(":")
        if is_open and below.lstrip().startswith("- "):
            offset = max(deeper, 0)
        elif is_open and deeper > 0:
            mapping = deeper
    return mapping, offset


def _set_value(section: Any, keys: list[str], value: Any) -> None:
    key, rest = _split_path(section, keys)
    if not rest:
        section[key] = value
        return
    if isinstance(section, dict) and not isinstance(section.get(key), dict | list):
        section[key] = {}  # it is not there, or null
    inner = section[key]
    if isinstance(inner, CommentedBase) and inner.anchor.value:
        # an alias may use the same section in another place; a copy loses some comments
        section[key] = inner = copy.deepcopy(inner)
    _set_value(inner, rest, value)


def _split_path(section: Any, keys: list[str]) -> tuple[Any, list[str]]:
    """Return the first step of a path, and the others. A name may be a dotted path itself."""
    if isinstance(section, list):
        return int(keys[0]), keys[1:]
    lengths = range(len(keys), 0, -1)
    length = next((length for length in lengths if ".".join(keys[:length]) in section), 1)
    return ".".join(keys[:length]), keys[length:]


def _dump_tree(yaml: YAML, tree: Any) -> str:
    text = StringIO()
    yaml.dump(tree, text)
    return text.getvalue()


def _keep_lines(written: str, before: str, after: str) -> str:
    """Return `after`, with each line that it shares with `before` as it was `written`.

    ruamel.yaml keeps comments, but not how a value is written. If the lines do not fit together, it is `after`.
    """
    if "\r\n" in written:
        before, after = (text.replace("\n", "\r\n") for text in (before, after))
    old, plain, new = (text.split("\n") for text in (written, before, after))
    if len(old) != len(plain):
        return after
    steps = SequenceMatcher(None, plain, new, autojunk=False).get_opcodes()
    lines = [line for name, a, b, c, d in steps for line in (old[a:b] if name == "equal" else new[c:d])]
    text = "\n".join(lines)
    try:
        return text if _load_values(text) == _load_values(after) else after
    except YAMLError:
        return after


def _load_values(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)
