"""Files that are no YAML: where the mistake is shown, and in which words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from thalweg.config import yaml_errors

TEXT = """\
# what a person wrote
seed: 0   # chance

data:
  path: 'photos'
  size: [48, 48]
  when: {a: b}   # the first part's
training:
  epochs: 16
  batch_size: 64
  patience: 0
"""


def told(text: str) -> tuple[int, str] | None:
    """What is said of a text; None where it is YAML."""
    try:
        YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        return yaml_errors.explain_yaml_error(error, text)
    return None


@pytest.mark.parametrize(
    ("old", "new", "mark", "what"),
    [
        ("  batch_size", "   batch_size", "batch_size: 64", "this line begins further to the right than line 9, which has its value already: one of the two is indented wrongly"),
        ("  batch_size", "batch_size", "patience", "this line begins further to the right than line 10, which has its value"),
        ("  batch_size", " batch_size", "batch_size", "no part above begins in the column in which this line begins; keys of one part stand in one column"),
        ("training:", "training: 3", "epochs", "this line begins further to the right than line 8, which has its value already"),
        ("  batch_size", "\tbatch_size", "\tbatch_size", "there is a tab; use spaces"),
        ("batch_size: 64", "batch_size:\t64", "\t64", "there is a tab; use spaces"),
        ("batch_size: 64", "batch_size 64", "batch_size", "a colon and a space are missing after `batch_size`"),
        ("batch_size: 64", "batch_size = 64", "batch_size", "a colon and a space are missing after `batch_size`"),
        ("batch_size: 64", "batch_size:64", "batch_size", "a space is missing after the colon; write `batch_size: 64`"),
        ("training:", "training", "training", "a colon and a space are missing after `training`"),
        ("patience: 0", "patience 0", "patience", "a colon and a space are missing after `patience`"),
        ("seed: 0", "seed 0", "seed", "a colon and a space are missing after `seed`"),
        ("  batch_size: 64", "  'batch_size 64", "'batch_size", "the quote that opens here is not closed"),
        ("path: 'photos'", "path: my: photos", ": photos", "a second colon in one line; put quotes around the text that holds it"),
        ("size: [48, 48]", "size: [48, 48", "[48", "the `[` that opens here is not closed"),
        ("[48, 48]", "[, 48]", ", 48", "a value is missing before this"),
        ("{a: b}", "{a: b", "{a", "the `{` that opens here is not closed"),
        ("{a: b}", "{a: b c: d}", ": d}", "a comma or the closing bracket is missing before this"),
        ("[48, 48]", "[48, 48]]", "]   ", "nothing opens what this `]` closes"),
        ("path: 'photos'", "path: 'photos", "'photos", "the quote that opens here is not closed"),
        ("path: 'photos'", 'path: "photos', '"photos', "the quote that opens here is not closed"),
        ("path: 'photos'", "path: 'photos's", "s\n", "the quoted text before this has ended already; is there a quote too many?"),
        ("path: 'photos'", r'path: "C:\photos"', '"C', "in double quotes a backslash has a meaning of its own; use single quotes"),
        ("path: 'photos'", "path: @home", "@home", '"@" has a meaning of its own where a value begins; put quotes around the value'),
        ("path: 'photos'", "path: *.jpg", "*.jpg", '"*" has a meaning of its own where a value begins; put quotes around the value'),
        ("  batch_size", "  - batch_size", "- batch", "an item of a list among the keys of a part; remove the dash"),
        ("data:", "<<<<<<< HEAD\ndata:", "<<<<<<<", "git left this mark where it could not merge; keep one of the versions, remove the marks"),
        ("data:", "---\ndata:", "---", "`---` begins a second document, and a params file is a single one; remove it"),
    ],
)  # fmt: skip
def test_a_mistake_is_marked_in_its_line_and_named(old: str, new: str, mark: str, what: str) -> None:
    assert TEXT.count(old) == 1
    found = told(text := TEXT.replace(old, new))
    assert found is not None
    line, (said, shown, below) = found[0], found[1].split("\n")
    wanted = text.split("\n")[line - 1]
    assert shown == f"    {wanted}".replace("\t", "→").rstrip()
    column = below.index("^") - 4
    assert said.startswith(f"{column + 1}: not valid YAML: {what}")
    assert f"{wanted}\n"[column:].startswith(mark.rstrip(" "))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_lines_may_end_in_other_ways(end: str) -> None:
    text = TEXT.replace("size: [48, 48]", "size: [48, 48")
    assert told(text.replace("\n", end)) == told(text)


def test_of_a_long_line_the_part_around_the_mistake_is_shown() -> None:
    found = told(f"a: {'x' * 300}: 3\n")
    assert found is not None
    _, shown, below = found[1].split("\n")
    assert len(shown) <= 4 + yaml_errors.WIDEST
    assert shown[below.index("^") :] == ": 3"


@settings(max_examples=200, derandomize=True)
@given(data=st.data())
def test_whatever_is_wrong_has_a_line_of_the_file(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(TEXT)))
    more = data.draw(st.text(":'\"[]{}-\t \n,&*!%@`|>?#\\é", max_size=3))
    text = TEXT[:place] + more + TEXT[place + data.draw(st.integers(0, 2)) :]
    found = told(text)
    if found is not None:
        assert 1 <= found[0] <= text.count("\n") + 1
        said, _, below = found[1].split("\n")
        assert said.startswith(f"{said.split(':')[0]}: not valid YAML: ")
        assert below.strip() == "^"
