"""`thalweg compare`: run two programs in pairs of the same seed until their difference is clear."""

import argparse
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pandas as pd

from thalweg.cli.answers import CompareAnswer, format_answer
from thalweg.duel import messages
from thalweg.duel.contest import Pair, Question, compute_differences, run_contest
from thalweg.duel.ledger import Ledger, Outcome, add_record, choose_alpha, find_settled, read_ledger
from thalweg.duel.runs import RunOptions
from thalweg.duel.seeds import parse_seeds
from thalweg.duel.side import SEED_MARK, Side, build_side
from thalweg.stats.sequential import PairedResult, count_pairs_needed
from thalweg.system import files, git
from thalweg.system.counts import format_count
from thalweg.system.files import UserError

EXIT_CODES = {"better": 0, "worse": 1, "open": 3, "same": 4}
"""2 is for an error that the user can correct."""


def compare_programs(arguments: argparse.Namespace) -> int:
    """Compare, or print the history. Returns the exit code: one of EXIT_CODES."""
    if arguments.log:
        _show_history(arguments)
        return 0
    _require_arguments(arguments)
    ledger = read_ledger(arguments.ledger)
    sides = _build_sides(arguments)
    seeds = parse_seeds(arguments.seeds)
    asked = Outcome(
        date=date.today().isoformat(),
        a=sides[0].key,
        b=sides[1].key,
        a_text=sides[0].text,
        b_text=sides[1].text,
        tree=sides[0].tree,
        metric=arguments.metric,
        minimize=arguments.minimize,
        smallest=arguments.smallest,
        seeds=seeds,
        alpha=0.0,
        verdict="open",
        pairs=0,
        mean=0.0,
        low=None,
        high=None,
    )

    def say(text: str) -> None:
        print(text, file=sys.stderr if arguments.json else sys.stdout, flush=True)

    if settled := find_settled(ledger, asked):
        say(f"settled on {settled.date}, by the runs in {arguments.ledger}")
        return _report_outcome(settled, None, arguments.json, say)
    question = Question(asked.metric, asked.minimize, asked.smallest, seeds, choose_alpha(ledger.outcomes, asked))
    say(messages.describe_plan(sides[0], sides[1], question))
    pairs, result = _run_pairs(question, sides, ledger, arguments, say)
    outcome = _complete_outcome(asked, question, result)
    if outcome not in [replace(each, date=outcome.date) for each in ledger.outcomes]:
        add_record(ledger.path, outcome)
    for hint in messages.find_hints(question, pairs):
        say(f"note: {hint}")
    if _hash_tree(arguments.ledger) != sides[0].tree:
        say("note: the runs changed files that git does not ignore, so next time all runs are new; see .gitignore")
    deviation = float(pd.Series(compute_differences(question, pairs)).std())
    needed = count_pairs_needed(result, deviation, len(seeds), question.smallest, question.alpha / 2)
    return _report_outcome(outcome, needed if result.verdict == "open" else None, arguments.json, say)


def _require_arguments(arguments: argparse.Namespace) -> None:
    """Raise `UserError` with every argument that is missing or wrong."""
    missing = [f"--{name}" for name in ("a", "b", "metric", "seeds") if getattr(arguments, name) is None]
    problems = [f"compare: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
    if not (arguments.minimize or arguments.maximize):
        problems.append("compare: say with --minimize or --maximize which metric is better")
    for name in ("smallest", "timeout", "jobs"):
        value = getattr(arguments, name)
        if value is not None and not (value > 0 and math.isfinite(value)):
            problems.append(f"--{name}: must be above 0, not {value:g}")
    if arguments.page:
        problems.append("--page: is for --log")
    if arguments.jobs > 1 and arguments.metric_file and SEED_MARK not in arguments.metric_file:
        problems.append(f"--metric-file: needs {SEED_MARK} and {{side}} in its name, for --jobs runs several at once")
    if problems:
        raise UserError("\n".join(problems))


def _build_sides(arguments: argparse.Namespace) -> tuple[Side, Side]:
    tree = _hash_tree(arguments.ledger)
    if tree is None:
        advice = "Run `git init` first: the ledger knows code by git's hash of the files"
        raise UserError(f"compare: this folder is in no git repository. {advice}")
    a, b = (build_side(name, getattr(arguments, name.lower()), tree, arguments.env) for name in ("A", "B"))
    if a.key == b.key:
        raise UserError(f"compare: A and B are the same program, {a.text}")
    return a, b


def _hash_tree(ledger: Path) -> str | None:
    return git.hash_work_tree(ledger)


def _run_pairs(
    question: Question,
    sides: tuple[Side, Side],
    ledger: Ledger,
    arguments: argparse.Namespace,
    say: Callable[[str], None],
) -> tuple[list[Pair], PairedResult]:
    def report(pair: Pair, result: PairedResult) -> None:
        say(messages.describe_pair(question, pair, result))

    options = RunOptions(arguments.seed_variable, arguments.metric_file, arguments.timeout)
    return run_contest(question, sides, ledger, options, arguments.jobs, report, retry_failed=arguments.retry_failed)


def _complete_outcome(asked: Outcome, question: Question, result: PairedResult) -> Outcome:
    low, high = (end if math.isfinite(end) else None for end in (result.low, result.high))
    return replace(
        asked,
        alpha=question.alpha,
        verdict=result.verdict,
        pairs=result.pairs,
        mean=result.mean,
        low=low,
        high=high,
    )


def _report_outcome(outcome: Outcome, needed: int | None, as_json: bool, say: Callable[[str], None]) -> int:
    verdict = messages.judge_result(outcome.minimize, outcome.verdict)
    say(messages.describe_outcome(outcome, needed))
    if as_json:
        fields = asdict(outcome) | {
            "verdict": verdict,
            "a": outcome.a_text,
            "b": outcome.b_text,
            "pairs_needed": needed,
        }
        print(format_answer(CompareAnswer(**{name: fields[name] for name in CompareAnswer.__dataclass_fields__})))
    return EXIT_CODES[verdict]


def _show_history(arguments: argparse.Namespace) -> None:
    rows = messages.list_history(read_ledger(arguments.ledger).outcomes)
    if arguments.json:
        print(json.dumps(rows))
    elif not rows:
        print(f"{arguments.ledger}: no comparison yet")
    else:
        print(pd.DataFrame(rows).to_string(index=False))
    if arguments.page:
        files.write_text(arguments.page, build_history_page(rows))
        print(arguments.page, file=sys.stderr if arguments.json else sys.stdout)


def build_history_page(rows: Sequence[dict[str, str]]) -> str:
    """Build the history as a page that opens offline."""
    from thalweg.reporting.page.figures import Table
    from thalweg.reporting.page.html import render_table_page

    counts = Counter(row["verdict"] for row in rows)
    listed = ", ".join(f"{verdict} in {count}" for verdict, count in counts.items())
    lede = f"{format_count(len(rows), 'comparison')}: {listed}." if rows else "No comparison yet."
    caption = "The last one first. An interval holds whenever a comparison stops."
    return render_table_page("Is B better?", lede, Table("comparisons", "Comparisons", caption, pd.DataFrame(rows)))
