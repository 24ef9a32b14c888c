"""A params file with other values, its comments kept."""

import copy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.helpers.paths import ROOT
from thalweg.config import write
from thalweg.config.load import load_config


def test_rewrite_without_values_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(write.rewrite_params((ROOT / "params.yaml").read_text(), {}))
    assert load_config(file) == load_config(ROOT / "params.yaml")


def test_rewrite_keeps_comments(tmp_path: Path) -> None:
    values = {"optimizer.learning_rate": 0.22312086033329206, "loss.terms.count.kind": "poisson"}
    file = tmp_path / "params.yaml"
    file.write_text(write.rewrite_params((ROOT / "params.yaml").read_text(), values))
    config = load_config(file)
    assert config.optimizer.learning_rate == values["optimizer.learning_rate"]
    assert config.loss.terms["count"].kind == "poisson"
    assert config == load_config(ROOT / "params.yaml").replace_values(values)
    assert "# all random numbers follow from it" in file.read_text()


def test_rewrite_adds_omitted_value(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(write.rewrite_params((ROOT / "params.yaml").read_text(), {"augment.online.cutout": 0.0}))
    assert "cutout: 0.0" in file.read_text()


def test_aliased_section_changes_in_one_place(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("first: &one\n  rate: 1\n  size: 2\nsecond: *one\n")
    file.write_text(write.rewrite_params(file.read_text(), {"second.rate": 5}))
    content = YAML(typ="safe").load(file)
    assert content == {"first": {"rate": 1, "size": 2}, "second": {"rate": 5, "size": 2}}


WRITTEN = """\
# the whole
seed:   0      # spaces
data: {path: "here",  sizes: [1,2]}

study:
    space:
        a.b: {choices: ["x",   'y']}
        kind:
            choices:
              # the first
              - l1      # one
              - "l2"    # two

              - huber
    number: 1e-3
    none: ~
"""
EDITS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({}, []),
    ({"seed": 1}, [("seed:   0      # spaces", "seed: 1        # spaces")]),
    ({"study.number": 2.5}, [("    number: 1e-3", "    number: 2.5")]),
    ({"study.space.kind.choices.0": "l3"}, [("              - l1      # one", "              - l3      # one")]),
    ({"study.space.kind.choices.2": "l3"}, [("              - huber", "              - l3")]),
    ({"study.space.a.b.choices.1": "z"}, [("""["x",   'y']""", """["x", 'z']""")]),
    ({"data.sizes.0": 3}, [("""{path: "here",  sizes: [1,2]}""", """{path: "here", sizes: [3, 2]}""")]),
]


@pytest.mark.parametrize(("values", "edits"), EDITS)
def test_other_lines_stay_as_written(values: dict[str, Any], edits: list[tuple[str, str]]) -> None:
    expected = WRITTEN
    for old, new in edits:
        assert old in expected
        expected = expected.replace(old, new)
    assert write.rewrite_params(WRITTEN, values) == expected


def test_lines_of_presets_stay_as_written() -> None:
    for file in sorted((ROOT / "presets").glob("*.yaml")):
        text = file.read_text()
        assert write.rewrite_params(text, {}) == text
        written, after = text.splitlines(), write.rewrite_params(text, {"study.trials": 720}).splitlines()
        changed = [new for old, new in zip(written, after, strict=True) if old != new]
        assert [line.split("#")[0].strip() for line in changed] == ["trials: 720"]


SCALARS = st.sampled_from([None, True, 3, -1.5, "text", "a: b", "'", "", "# no", "1", "null"])
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b.c", "d", "b"]), inner),
    max_leaves=8,
)


@given(tree=st.dictionaries(st.sampled_from(["a", "b.c", "d"]), TREES, min_size=1), data=st.data())
def test_any_value_can_be_replaced(tree: dict[str, Any], data: st.DataObject) -> None:
    """The file with a new value says the same as before, but for the value."""
    for indents in ({}, {"mapping": 4, "sequence": 6, "offset": 4}):
        yaml, text = YAML(), StringIO()
        yaml.indent(**indents)
        yaml.dump(tree, text)
        path: tuple[Any, ...] = ()
        value: Any = tree
        while isinstance(value, dict | list) and value:
            step = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
            path, value = (*path, step), value[step]
        new = data.draw(SCALARS)
        expected = copy.deepcopy(tree)
        inner: Any = expected
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = new
        assume(not is_ambiguous(tree, path))
        written = write.rewrite_params(text.getvalue(), {".".join(map(str, path)): new})
        assert YAML(typ="safe").load(written) == expected


def is_ambiguous(tree: Any, path: tuple[Any, ...]) -> bool:
    """Whether a dotted path may also mean another place: `b.c`, beside `b` with `c` in it."""
    for index, step in enumerate(path):
        if isinstance(tree, dict) and any(
            ".".join(map(str, path[index:end])) in tree for end in range(index + 2, len(path) + 1)
        ):
            return True
        tree = tree[step]
    return False


def test_searched_parameter_is_added_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    values = {"study.space.optimizer.clip": {"choices": [None, 1.0]}, "study.space.optimizer.momentum.low": 0.25}
    file.write_text(write.rewrite_params((ROOT / "params.yaml").read_text(), values))
    space = load_config(file).study.space
    assert space["optimizer.clip"].choices == (None, 1.0)
    assert space["optimizer.momentum"].low == 0.25


def test_empty_section_takes_a_value(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(write.rewrite_params("augment:\n  online:  # nothing yet\n", {"augment.online.shift": 1}))
    assert YAML(typ="safe").load(file) == {"augment": {"online": {"shift": 1}}}


def test_lines_keep_their_ends() -> None:
    text = "seed:   0  # one\r\nlist: [1,2]\r\n# end\r\n"
    assert write.rewrite_params(text, {"list.0": 3}) == text.replace("[1,2]", "[3, 2]")
    assert write.rewrite_params(text, {"new": 3}).replace("\r\n", "").isprintable()


SECTION = """\
study:
  space:
    # rates
    a.b: {choices: ["x",   'y']}   # a list
    kind:
      choices:
        # the first
        - l1      # one
        - l2      # two
        - huber
    # sizes
    c: {low: 1, high: 2}  # last
# after the space
confirm: 1
"""
ALL = {"a.b": {"choices": ["x", "y"]}, "kind": {"choices": ["l1", "l2", "huber"]}, "c": {"low": 1, "high": 2}}


@pytest.mark.parametrize(
    ("space", "gone", "edits"),
    [
        (ALL, [], []),
        ({"kind": ALL["kind"]}, [4, 12], []),
        ({"a.b": ALL["a.b"], "kind": {"choices": ["l1", "huber"]}}, [9, 12], []),
        ({"c": ALL["c"]}, [4, 5, 6, 7, 8, 9, 10], []),
        ({"kind": ALL["kind"], "c": {"low": 1, "high": 9}}, [4], [("{low: 1, high: 2}", "{low: 1, high: 9}")]),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_section_keeps_the_lines_of_what_stays(
    space: dict[str, Any], gone: list[int], edits: list[tuple[str, str]], end: str
) -> None:
    """The lines of what goes, from 1, are no longer there; comments on lines of their own are, except within it."""
    lines = SECTION.replace("\n", end).splitlines(keepends=True)
    expected = "".join(line for number, line in enumerate(lines, 1) if number not in gone)
    for old, new in edits:
        expected = expected.replace(old, new)
    assert write.rewrite_params("".join(lines), {"study.space": space}) == expected


@pytest.mark.parametrize("old", ["true", "", "\n  x: 1"])
@pytest.mark.parametrize(
    ("new", "line"),
    [([{}, None, None], "[{}, null, null]"), (["a: b", None], "['a: b', null]"), ({"first": 3}, "{first: 3}")],
)
def test_comments_stay_below_a_new_section(old: str, new: Any, line: str) -> None:
    written = write.rewrite_params(f"first: 1\nsection: {old}\n# after\nlast: 2\n", {"section": new})
    assert written == f"first: 1\nsection: {line}\n# after\nlast: 2\n"


def test_new_section_below_a_new_one() -> None:
    text = "first: 1\nsection:  # why\nlast: 2\n"
    assert write.rewrite_params(text, {"section.a": 1}) == "first: 1\nsection: {a: 1} # why\nlast: 2\n"
    assert (
        write.rewrite_params(text, {"section.a.b": {"c": 1}}) == "first: 1\nsection: {a: {b: {c: 1}}} # why\nlast: 2\n"
    )
    assert write.rewrite_params("first: 1\n", {"a.b": {"c": 1}}) == "first: 1\na:\n  b:\n    c: 1\n"


@example(old=True, new=[{}, None, None])
@given(old=TREES.filter(lambda tree: "None" not in repr(tree)), new=TREES)
def test_any_section_can_be_replaced(old: Any, new: Any) -> None:
    """The comment after a section stays, whatever replaces it, and so does all else."""
    yaml, text = YAML(), StringIO()
    yaml.dump({"first": 1, "section": old}, text)
    params = f"{text.getvalue()}# after\nlast: 2\n"
    assume(keeps_comment(params))
    written = write.rewrite_params(params, {"section": new})
    assert YAML(typ="safe").load(written) == {"first": 1, "section": new, "last": 2}
    assert "# after\n" in written


def keeps_comment(params: str) -> bool:
    """Return whether ruamel.yaml keeps the comment, which it loses below a list in two others, `- - []`."""
    yaml, text = YAML(), StringIO()
    yaml.dump(yaml.load(params), text)
    return "# after\n" in text.getvalue()


NAMES = """\
base:   &base {kind: old}
list: [
    old,    # one
    "old",  # two
    # three
    'new' ]
first:   *base
name: &name old
second: {kind: *name}
other: old
"""
RENAMES: list[tuple[tuple[str | int, ...], str, str]] = [
    (("list", 0), "    old,    # one", "    longer.new,    # one"),
    (("list", 1), '    "old",  # two', '    "longer.new",  # two'),
    (("other",), "other: old", "other: longer.new"),
]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("path", "before", "after"), RENAMES)
def test_renamed_value_alone_changes(path: tuple[str | int, ...], before: str, after: str, end: str) -> None:
    text = NAMES.replace("\n", end)
    assert write.replace_names(text, {path: ("old", "longer.new")}) == text.replace(before, after)


@pytest.mark.parametrize("path", [("first", "kind"), ("second", "kind")])
def test_renamed_value_behind_an_alias_changes_in_one_place(path: tuple[str, str]) -> None:
    expected = YAML(typ="safe").load(NAMES)
    expected[path[0]] = {"kind": "new"}
    assert YAML(typ="safe").load(write.replace_names(NAMES, {path: ("old", "new")})) == expected
