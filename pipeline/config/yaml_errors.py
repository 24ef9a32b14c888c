"""Explain a file that is not YAML: the line, the mistake in plain words, and a mark below it."""

import re

from ruamel.yaml.error import MarkedYAMLError

MAX_SHOWN_CHARACTERS = 100
"""Characters of a line to show."""
MERGE_MARKS = ("<<<<<<<", "=======", ">>>>>>>")
LINE_BREAK = re.compile(r"\r\n?|\n")
OPEN_QUOTE = re.compile(r""":\s+('[^']*|"[^"]*)$""")
KEY_AND_VALUE = re.compile(r"""\s*([^\s'"\[{#-][^\s:]*)(:\S+|(?!.*:(\s|$)).*)$""")
MESSAGE_HINTS = {
    "mapping values": "a value with a colon needs quotes; or this line is indented too far",
    "expected <block end>": "keys of a section start in the same column; lists and brackets end before the next key",
    "found character": "put quotes around the value",
    "found undefined alias": "put quotes around the value",
    "could not determine a constructor": "put quotes around the value",
    "found unknown escape": "use single quotes around a value with backslashes",
    "but found another document": "remove this line",
}
"""Hints for ruamel's vaguest messages, by how they begin. A message that ruamel has reworded gets no hint."""


def explain_yaml_error(error: MarkedYAMLError, text: str) -> tuple[int, str, int]:
    """Return the line of the mistake, from 1, a message with that line and a mark below it, and the column, from 1."""
    lines = [*LINE_BREAK.split(text), ""]  # the end of a file that ends in a line break is a line of its own
    line, column, message = _find_mistake(error, lines)
    start = max(0, column - MAX_SHOWN_CHARACTERS // 2)
    shown = lines[line][start : start + MAX_SHOWN_CHARACTERS].replace("\t", "→").rstrip()
    return line + 1, f"not valid YAML: {message}\n    {shown}\n    {' ' * (column - start)}^", column + 1


def _find_mistake(error: MarkedYAMLError, lines: list[str]) -> tuple[int, int, str]:
    """Return line, column and message of the most common mistakes, else ruamel's own."""
    for line, content in enumerate(lines):
        if content.startswith(MERGE_MARKS):
            return line, 0, "git left this mark where it could not merge; keep one version and remove the marks"
    end = error.problem_mark or error.context_mark
    if end is None:
        return 0, 0, error.problem or "cannot be read"
    begin = error.context_mark or end
    if lines[end.line][end.column : end.column + 1] == "\t":
        return end.line, end.column, "there is a tab; use spaces"
    for line in range(end.line):
        if quote := OPEN_QUOTE.search(re.sub(r"\s#.*", "", lines[line])):
            return line, quote.start(1), f"the `{quote[1][0]}` that opens here is not closed"
    sign = lines[begin.line][begin.column : begin.column + 1]
    if end.line > begin.line and sign in ("'", '"', "[", "{"):
        return begin.line, begin.column, f"the `{sign}` that opens here is not closed"
    for line in range(begin.line if error.context_mark else 0, end.line + 1):
        if key := KEY_AND_VALUE.match(lines[line]):
            return line, key.start(1), f"a colon and a space are needed between key and value: `{key[1]}: ...`"
    message = " ".join((error.problem or "cannot be read").split())
    hint = next((f" ({hint})" for start, hint in MESSAGE_HINTS.items() if message.startswith(start)), "")
    return end.line, end.column, message + hint
