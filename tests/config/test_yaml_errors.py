"""Files that are not YAML: each mistake is shown in its line, with a message that helps."""

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


def explain_error(text: str) -> tuple[int, str] | None:
    """Return the line of a YAML error, and its column and message; None for valid YAML."""
    try:
        YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line, message, column = yaml_errors.explain_yaml_error(error, text)
        return line, f"{column}: {message}"
    return None


@pytest.mark.parametrize(
    ("old", "new", "mark", "what"),
    [
        ("  batch_size", "   batch_size", ": 64", "mapping values are not allowed here (a value with a colon needs quotes; or this line is indented too far)"),
        ("  batch_size", "batch_size", ": 0", "mapping values are not allowed here (a value with a colon needs quotes; or this line is indented too far)"),
        ("  batch_size", " batch_size", "batch_size", "expected <block end>, but found '<block mapping start>' (keys of a section start in the same column"),
        ("training:", "training: 3", ": 16", "mapping values are not allowed here (a value with a colon needs quotes; or this line is indented too far)"),
        ("  batch_size", "\tbatch_size", "\tbatch_size", "there is a tab; use spaces"),
        ("batch_size: 64", "batch_size:\t64", "\t64", "there is a tab; use spaces"),
        ("batch_size: 64", "batch_size 64", "batch_size", "a colon and a space are needed between key and value: `batch_size: ...`"),
        ("batch_size: 64", "batch_size = 64", "batch_size", "a colon and a space are needed between key and value: `batch_size: ...`"),
        ("batch_size: 64", "batch_size:64", "batch_size", "a colon and a space are needed between key and value: `batch_size: ...`"),
        ("training:", "training", "training", "a colon and a space are needed between key and value: `training: ...`"),
        ("patience: 0", "patience 0", "patience", "a colon and a space are needed between key and value: `patience: ...`"),
        ("seed: 0", "seed 0", "seed", "a colon and a space are needed between key and value: `seed: ...`"),
        ("  batch_size: 64", "  'batch_size 64", "'batch_size", "the `'` that opens here is not closed"),
        ("path: 'photos'", "path: my: photos", ": photos", "mapping values are not allowed here (a value with a colon needs quotes; or this line is indented too far)"),
        ("size: [48, 48]", "size: [48, 48", "[48", "the `[` that opens here is not closed"),
        ("[48, 48]", "[, 48]", ", 48", "expected the node content, but found ','"),
        ("{a: b}", "{a: b", "{a", "the `{` that opens here is not closed"),
        ("{a: b}", "{a: b c: d}", ": d}", "expected ',' or '}', but got ':'"),
        ("[48, 48]", "[48, 48]]", "]   ", "expected <block end>, but found ']' (keys of a section start in the same column"),
        ("path: 'photos'", "path: 'photos", "'photos", "the `'` that opens here is not closed"),
        ("path: 'photos'", "path: \"photos", "\"photos", "the `\"` that opens here is not closed"),
        ("path: 'photos'", "path: 'photos's", "s\n", "expected <block end>, but found '<scalar>' (keys of a section start in the same column"),
        ("path: 'photos'", "path: \"C:\\photos\"", "photos\"", "found unknown escape character 'p' (use single quotes around a value with backslashes)"),
        ("path: 'photos'", "path: @home", "@home", "found character '@' that cannot start any token (put quotes around the value)"),
        ("path: 'photos'", "path: *.jpg", "*.jpg", "found undefined alias '.jpg' (put quotes around the value)"),
        ("  batch_size", "  - batch_size", "- batch", "expected <block end>, but found '-' (keys of a section start in the same column"),
        ("data:", "<<<<<<< HEAD\ndata:", "<<<<<<<", "git left this mark where it could not merge; keep one version and remove the marks"),
        ("data:", "---\ndata:", "---", "but found another document (remove this line)"),
    ],
)  # fmt: skip
def test_yaml_error_marks_its_place(old: str, new: str, mark: str, what: str) -> None:
    assert TEXT.count(old) == 1
    error = explain_error(text := TEXT.replace(old, new))
    assert error is not None
    line, (message, excerpt, below) = error[0], error[1].split("\n")
    wanted = text.split("\n")[line - 1]
    assert excerpt == f"    {wanted}".replace("\t", "→").rstrip()
    column = below.index("^") - 4
    assert message.startswith(f"{column + 1}: not valid YAML: {what}")
    assert f"{wanted}\n"[column:].startswith(mark.rstrip(" "))


@pytest.mark.parametrize("known", yaml_errors.MESSAGE_HINTS)
def test_hints_match_ruamel_messages(known: str) -> None:
    texts = ["a: b: c", "a:\n  b: 1\n c: 2", "a: @b", "a: *b", "a: !b {}", 'a: "\\p"', "a: 1\n---\nb: 2"]
    assert any(f"not valid YAML: {known}" in error[1] for text in texts if (error := explain_error(text)))


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_endings_are_accepted(end: str) -> None:
    text = TEXT.replace("size: [48, 48]", "size: [48, 48")
    assert explain_error(text.replace("\n", end)) == explain_error(text)


def test_long_lines_are_shortened() -> None:
    error = explain_error(f"a: {'x' * 300}: 3\n")
    assert error is not None
    _, excerpt, below = error[1].split("\n")
    assert len(excerpt) <= 4 + yaml_errors.MAX_SHOWN_CHARACTERS
    assert excerpt[below.index("^") :] == ": 3"


@settings(max_examples=200, derandomize=True)
@given(data=st.data())
def test_any_yaml_error_has_a_line(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(TEXT)))
    more = data.draw(st.text(":'\"[]{}-\t \n,&*!%@`|>?#\\é", max_size=3))
    text = TEXT[:place] + more + TEXT[place + data.draw(st.integers(0, 2)) :]
    error = explain_error(text)
    if error is not None:
        assert 1 <= error[0] <= text.count("\n") + 1
        message, _, below = error[1].split("\n")
        assert message.startswith(f"{message.split(':')[0]}: not valid YAML: ")
        assert below.strip() == "^"
