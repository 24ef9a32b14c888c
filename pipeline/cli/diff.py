"""`thalweg diff`: two studies side by side."""

import argparse
import sys

from thalweg.cli.answers import format_answer
from thalweg.diff.answer import compare_studies
from thalweg.diff.place import find_places
from thalweg.diff.study import read_study
from thalweg.diff.text import format_text
from thalweg.diff.words import describe_scope
from thalweg.system import files

REGRESSION = 1
"""The exit code where B is worse beyond noise, if the command line asks for it."""
UNJUDGED = "diff: --fail-on-regression judged nothing, because the winners cannot be compared; the exit code is 0"


def diff_studies(arguments: argparse.Namespace) -> int:
    """Compare two studies, and print what differs. Returns the exit code."""
    places = find_places((arguments.a, arguments.b), arguments.folder)
    a, b = read_study("A", places[0]), read_study("B", places[1])
    answer = compare_studies(a, b)
    scope = describe_scope(a.judged, answer.difference) if a.judged and answer.difference else ""
    titles = (places[0].title, places[1].title)
    print(format_answer(answer) if arguments.json else format_text(answer, titles, scope))
    if arguments.out is not None:
        from thalweg.diff.page import render_diff_page  # draws charts

        page = arguments.folder / arguments.out
        files.write_text(page, render_diff_page(answer, a, b, scope))
        print(page, file=sys.stderr if arguments.json else sys.stdout)
    if arguments.fail_on_regression and answer.verdict == "incomparable":
        print(UNJUDGED, file=sys.stderr)
    is_regression = arguments.fail_on_regression and answer.verdict == "worse"
    return REGRESSION if is_regression else 0
