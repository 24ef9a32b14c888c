"""Write other values into a params file; comments, and lines without a new value, stay as they are."""

import copy
from collections.abc import Mapping
from difflib import SequenceMatcher
from io import StringIO
from itertools import pairwise
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedBase, CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode

from thalweg.schema.problem import KeyPath

SPACE = "study.space."
"""The part of a params file whose keys are dotted paths."""


def rewrite_params(params: str, values: Mapping[str, Any]) -> str:
    """Return `params`, the text of a params file, with `values` at their dotted paths.

    A number in a path is a place in a list, from 0. A section that replaces one keeps the lines of what stays in it.
    """
    params = _remove_gone(params, values)
    yaml = YAML(typ="rt")
    yaml.width, yaml.preserve_quotes = 4096, True
    mapping, offset = _guess_indents(params)
    yaml.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    tree = yaml.load(params)
    before = _dump_tree(yaml, tree)
    for path, value in sorted(values.items()):
        _set_value(tree, _divide_path(path, value), value)
    after = _dump_tree(yaml, tree)
    return params if after == before else _keep_lines(params, before, after)


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
        node = _find_node(node, step)
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
        old = section.get(key) if isinstance(section, dict) else section[key]
        section[key] = _update_section(old, value) if _is_replaceable(old, value) else _fit_comment(section, key, value)
        return
    if isinstance(section, dict) and not isinstance(section.get(key), dict | list):
        section[key] = _fit_comment(section, key, {})  # it is not there, or null
    inner = section[key]
    if isinstance(inner, CommentedBase) and inner.anchor.value:
        # an alias may use the same section in another place; a copy loses some comments
        section[key] = inner = copy.deepcopy(inner)
    _set_value(inner, rest, value)


def _is_replaceable(old: Any, new: Any) -> bool:
    """Return whether a section, or a list, becomes another one in place. One with an anchor may be used elsewhere."""
    is_section = isinstance(old, dict) and isinstance(new, Mapping)
    is_list = isinstance(old, list) and isinstance(new, list | tuple)
    return (is_section or is_list) and not (isinstance(old, CommentedBase) and old.anchor.value)


def _update_section(old: Any, new: Any) -> Any:
    """Return the section, or list, `old` with the content of `new`, in its own form."""
    if isinstance(old, list):
        if old != list(new):
            old[:] = list(new)
        return old
    for key in [key for key in old if key not in new]:
        del old[key]
    for key, value in new.items():
        is_same_kind = key in old and _is_replaceable(old[key], value)
        old[key] = _update_section(old[key], value) if is_same_kind else _fit_comment(old, key, value)
    return old


def _fit_comment(section: Any, key: Any, value: Any) -> Any:
    """Return a value that leaves the comments after a key, and the lines of comments below, where they are.

    ruamel.yaml would write them between the key and a section or list in lines of its own, and join some of the lines.
    """
    is_section = isinstance(value, Mapping | list | tuple)
    if not is_section or not isinstance(section, CommentedBase) or key not in section.ca.items:
        return value
    inline = CommentedMap(value) if isinstance(value, Mapping) else CommentedSeq(value)
    inline.fa.set_flow_style()
    return inline


def _remove_gone(params: str, values: Mapping[str, Any]) -> str:
    """Return `params` without the lines of what the new sections and lists lack; what fills no lines alone stays.

    A comment belongs to the line that it follows for ruamel.yaml, which would drop it with the line before it.
    """
    root, tree = YAML(typ="safe", pure=True).compose(params), _load_values(params)
    gone = set[int]()
    for path, value in values.items():
        node, inner, keys = root, tree, _divide_path(path, value)
        while keys and isinstance(inner, dict | list) and node is not None:
            key, keys = _split_path(inner, keys)
            step = int(key) if isinstance(inner, list) else key
            node = _find_node(node, step) if step in (range(len(inner)) if isinstance(inner, list) else inner) else None
            inner = None if node is None else inner[step]
        gone |= _list_gone_lines(node, inner, value)
    lines = params.splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines) if number not in gone)


def _list_gone_lines(node: Node | None, old: Any, new: Any) -> set[int]:
    """List the lines of the keys of `old`, or of its items, that `new` lacks; all if it is something else."""
    if not isinstance(node, CollectionNode) or node.anchor or node.flow_style:
        return set()
    if isinstance(node, SequenceNode):
        same = [place for place, item in enumerate(old) if isinstance(new, list | tuple) and item in new]
        kept = same if same and [old[place] for place in same] == [*new] else []
        items = [item for place, item in enumerate(node.value) if place not in kept]
        return set().union(*(range(item.start_mark.line, _find_last_line(item) + 1) for item in items))
    lines = set[int]()
    for name, value in node.value:
        key = name.value
        if isinstance(new, Mapping) and key in new:
            lines |= _list_gone_lines(value, old[key], new[key])
        elif key in old:
            lines |= {*range(name.start_mark.line, max(name.start_mark.line, _find_last_line(value)) + 1)}
    return lines


def _find_last_line(node: Node) -> int:
    """Find the last line of a node's content: the end of a section comes after the comments below it."""
    if not isinstance(node, CollectionNode) or node.flow_style or not node.value:
        return -1 if node.start_mark.index == node.end_mark.index else int(node.end_mark.line)
    last = node.value[-1]
    return _find_last_line(last) if isinstance(last, Node) else max(last[0].end_mark.line, _find_last_line(last[1]))


def _find_node(node: Node, step: str | int) -> Node | None:
    """Return the node below another at a key, or at a place in a list."""
    if isinstance(node, MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return node.value[step] if isinstance(node, SequenceNode) else None


def _divide_path(path: str, value: Any) -> list[str]:
    """Return the steps of a dotted path; a searched parameter's name is a dotted path itself."""
    keys = path.split(".")
    is_parameter = path.startswith(SPACE) and isinstance(value, Mapping)
    return [*keys[: SPACE.count(".")], path.removeprefix(SPACE)] if is_parameter else keys


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
        before, after = (text.replace("\r", "").replace("\n", "\r\n") for text in (before, after))
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
