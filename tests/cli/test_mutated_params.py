"""`thalweg check` on params files with random edits: a verdict, or errors with their lines; never a traceback."""

import contextlib
import re
from io import StringIO
from pathlib import Path

from hypothesis import given

from tests.helpers.mutated_params import draw_mutations
from tests.helpers.size import Size, sized
from thalweg import cli

JARGON = re.compile(r"<class|pydantic|Input|NoneType|Traceback")


@sized(10_000, fast=25)
def test_mutated_params_give_a_verdict(size: Size, tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"

    @size.draw_with_hypothesis
    @given(text=draw_mutations())
    def check(text: str) -> None:
        file.write_text(text)
        with contextlib.redirect_stdout(StringIO()) as output, contextlib.redirect_stderr(StringIO()) as errors:
            code = cli.main(["check", str(file)])
        if code == 0:
            assert output.getvalue().startswith(f"{file}: no errors\n")
            return
        assert code == 2
        *lines, count = errors.getvalue().splitlines()
        assert count == f"{len(lines)} error{'s' if len(lines) > 1 else ''} in {file}"
        for line in lines:
            # a whole part has no line
            if missing := re.fullmatch(rf"{re.escape(str(file))}: `(\w+)` is missing(; `thalweg upgrade .*)?", line):
                assert not re.search(rf"^{missing[1]}:", text, re.MULTILINE)
                continue
            number, what = line.removeprefix(f"{file}:").split(": ", 1)
            assert 1 <= int(number) <= text.count("\n")
            assert not JARGON.search(what)

    check()
