"""What a person is told of a file that is no YAML: where, what is likely wrong, and the line with a mark below it."""

import re

from ruamel.yaml.error import MarkedYAMLError

WIDEST = 100
"""As many characters of a line are shown."""
MERGE = ("<<<<<<<", "=======", ">>>>>>>")
BREAK = re.compile(r"\r\n?|\n")
UNCLOSED = re.compile(r""":\s+('[^']*|"[^"]*)$""")
NO_COLON = re.compile(r"([\w.-]*)(:\S+)?")

Place = tuple[int, int]
"""Line and column, from 0."""


def explain_yaml_error(error: MarkedYAMLError, text: str) -> tuple[int, str]:
    """The line of the mistake, from 1, and `column: what is wrong` with that line and a mark below."""
    lines = [*BREAK.split(text), ""]  # the end of a file that ends in a line break is a line of its own
    (line, column), what = _likely(error, lines)
    start = max(0, column - WIDEST // 2)
    shown = lines[line][start : start + WIDEST].replace("\t", "→").rstrip()
    return line + 1, f"{column + 1}: not valid YAML: {what}\n    {shown}\n    {' ' * (column - start)}^"


def _likely(error: MarkedYAMLError, lines: list[str]) -> tuple[Place, str]:
    """Where the mistake lies, which may be above where the reader stumbled, and what it is."""
    for line, content in enumerate(lines):
        if content.startswith(MERGE):
            return (line, 0), "git left this mark where it could not merge; keep one of the versions, remove the marks"
    problem = " ".join((error.problem or "cannot be read").split())
    mark, context = error.problem_mark, error.context_mark
    if mark is None:
        return (0, 0), problem
    at, opened = (mark.line, mark.column), (context.line, context.column) if context else (mark.line, mark.column)
    sign, opener = (lines[line][column : column + 1] for line, column in (at, opened))
    if sign == "\t":
        return at, "there is a tab; use spaces"
    if problem == "could not find expected ':'":
        return opened, _without_colon(lines[opened[0]])
    if problem.startswith("expected '<document start>'"):
        first = next(line for line, content in enumerate(lines) if _says_something(content))
        return (first, 0), _without_colon(lines[first])
    if problem.startswith("mapping values"):
        return _colon(lines, at)
    if problem.startswith("expected ',' or"):
        what = "a comma or the closing bracket is missing before this"
        return (opened, f"the `{opener}` that opens here is not closed") if opened[0] < at[0] else (at, what)
    if problem == "found unexpected end of stream":
        return opened, "the quote that opens here is not closed"
    if problem.startswith("expected") and sign in ("]", "}"):
        return at, f"nothing opens what this `{sign}` closes"
    if problem.startswith("expected <block end>"):
        return _block(problem, lines, at)
    if problem.startswith("expected the node content"):
        return at, "a value is missing before this"
    if problem == "but found another document":
        return at, "`---` begins a second document, and a params file is a single one; remove it"
    if problem.startswith("found unknown escape"):
        return opened, "in double quotes a backslash has a meaning of its own; use single quotes"
    if opener in ("%", "@", "`", "*", "&", "!", "|", ">"):
        return opened, f'"{opener}" has a meaning of its own where a value begins; put quotes around the value'
    return at, problem


def _without_colon(line: str) -> str:
    found = NO_COLON.match(line.strip())
    assert found, "it matches nothing, too"
    name, joined = found.groups()
    if joined:
        return f"a space is missing after the colon; write `{name}: {joined[1:]}`"
    return f"a colon and a space are missing after `{name}`" if name else "this is no `key: value`"


def _colon(lines: list[str], at: Place) -> tuple[Place, str]:
    """A colon where there cannot be one: the second in its line, or of a line that goes on with the one above."""
    line, column = at
    if re.search(r":\s", lines[line][:column]):
        return at, "a second colon in one line; put quotes around the text that holds it"
    above = next((number for number in range(line - 1, -1, -1) if _says_something(lines[number])), 0)
    what = f"this line begins further to the right than line {above + 1}, which has its value already: "
    return (line, len(lines[line]) - len(lines[line].lstrip())), f"{what}one of the two is indented wrongly"


def _block(problem: str, lines: list[str], at: Place) -> tuple[Place, str]:
    """Something that does not belong where it stands among the keys of a part."""
    if "'-'" in problem:
        return at, "an item of a list among the keys of a part; remove the dash"
    if "'<scalar>'" not in problem:
        return at, "no part above begins in the column in which this line begins; keys of one part stand in one column"
    found = [(line, UNCLOSED.search(re.sub(r"\s#.*", "", lines[line]))) for line in range(at[0])]
    unclosed = [(line, quote.start(1)) for line, quote in found if quote]
    if unclosed:  # the next quote has closed it, wherever that was
        return unclosed[-1], "the quote that opens here is not closed"
    return at, "the quoted text before this has ended already; is there a quote too many?"


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")
