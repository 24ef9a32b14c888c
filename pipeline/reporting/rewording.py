"""The words of a report on another program's study: the only place that translates them.

Sections speak of params.yaml, stages, sets and epochs, which such a study does not have. Here their sentences become
those of a study whose settings lie in the user's own program. A step that still names one of our settings or commands
is dropped: nobody could follow it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import pandas as pd

from thalweg.reporting.advice.commands import SPACE
from thalweg.reporting.advice.next_space import build_next_space
from thalweg.reporting.advice.suggestions import format_suggestions
from thalweg.reporting.finding import Finding, NumberInterval, Step, read_step
from thalweg.reporting.page.figures import Chart, EmptyFigure, Figure, Table, TrialTable
from thalweg.reporting.tables import StudyTables

CLIP = r"set `optimizer\.clip` or lengthen `schedule\.warmup`"
STEPS: tuple[tuple[str, str], ...] = (
    (r"Set `study\.seeds: (\d+)`: ", r"Run each setting with \1 seeds: "),
    (r"Continue the search: `thalweg study --trials (\d+)`\.", r"Continue the search, to \1 trials in all."),
    (r": the model, the data or the task\.", "."),
    (r"Raise `study\.prune\.audit`: \w+[\w ]* of the stopped trials then trains? to the end for comparison\.",
     "Run some of the stopped trials to the end, chosen at random, for comparison."),
    (r": raise `study\.prune\.first` or lower `study\.prune\.eta`\.", "."),
    (r"(Judge from epoch \d+ on): `study\.prune\.first: \d+`", r"\1"),
    (r"Set `study\.prune: null`\.", "Stop no trial early."),
    (r"(Stop the worse half) early: `study\.prune: \{first: (\d+), eta: \d+\}`\.",
     r"\1 of the trials at epoch \2, and again whenever the number of epochs has doubled."),
    (r"Keep `study\.prune: null`: early stopping would stop trials by chance\.",
     "Stop no trial early: it would stop trials by chance."),
    (r"Keep `study\.prune: null`, or measure the cost of early stopping with `study\.prune\.audit`\.",
     "Stop no trial early, or run some of the stopped ones to the end, to measure what stopping costs."),
    (r" Stopped trials that train on for comparison \(`study\.prune\.audit`\) would save none\.", ""),
    (r" Raise `study\.prune\.audit`\.", " Run some of the stopped trials to the end."),
    (rf"To save trials that ([\w ]+), (?:[^`,]*(?:`optimizer\.learning_rate`)?, )?{CLIP}\.",
     r"Read the errors of the trials that \1."),
    (rf"To save trials (.*?), {CLIP}: [^.]*\.", r"Find out why trials \1 fail."),
    (rf"To save the seeds on which (.*?) fails, {CLIP}\. Then confirm again\.",
     r"Find out why \1 fails on these seeds; then run it again on fresh ones."),
    (rf"Lower (?:both ends of )?`optimizer\.learning_rate`(?: in `study\.space`)?, or {CLIP}\.",
     "Find one setting that ends with a value, and search around it."),
    (r" \(`training\.epochs`\)", ""),
    (r", or let the learning rate fall \(`schedule\.kind: cosine`\)", ""),
    (r" \(`confirm\.seeds`\)", ""),
    (r"Make the winner the next baseline: `cp artifacts/confirm/winner\.yaml params\.yaml`\.",
     "Make the winner your default."),
    (r" ?`thalweg predict` still uses the winner; docs/results\.md says how to use the baseline\.", ""),
    (r" Check whether the validation set is too small to choose by\.", ""),
    (r"Check whether the validation set, which chose .* other examples\.",
     "Take the better one, and run it on more fresh seeds."),
    (r" `confirm` retrained ", " Fresh seeds ran "),
    (r"; `confirm\.runners_up` sets how many", ""),
    (r"Choose by what each kind of error costs\.", "Choose by what each objective is worth to you."),
    (r" Trials that failed in another way are left out\.", ""),
    (r"`the sampler` chooses each trial by the earlier ones", "how its trials were chosen is not known"),
)  # fmt: skip
"""Sentences that name our settings and commands, and what they are in another program's study."""
WORDS: tuple[tuple[str, str], ...] = (
    (r", on the validation set, not confirmed", ", not run again on fresh seeds"),
    (r" and for the baseline, on the validation set", ""),
    (r"On the (?:validation|test) set, ", "On fresh seeds, "),
    (r",? on the (?:validation|test) set(?= over fresh seeds)", ""),
    (r" on the (?:validation|test) set", ""),
    (r" there, (?=[\d.]+ (?:worse|better))", ", "),
    (r" Thin bars: the same over seeds and [^.]*\.", " Thin bars: with what the winner's choice leaves uncertain."),
    (r"over seeds and groups of examples", "over seeds"),
    (r"what other seeds and other [\w ]+ would change(?:, but for [^.]*)?", "what other seeds would change"),
    (r"The winner is clearly better than the baseline\.$",
     "On fresh seeds, the winner is clearly better than the baseline."),
    (
        r" The first screen has intervals over seeds and [^;.]*; the winner's is also",
        " On the first screen, it is also",
    ),
    (r"trials? learned nothing\.$", "trials ended at one and the same value."),
    (r"Each gives every example one and the same answer, which may be a bad one\.",
     "An objective that returns a fixed value when a run fails does so."),
    (r"learned nothing", "ended at one value"),
    (r" in each cohort \(proposed together\) had trained on at", ", of each two in a row, had gone on at"),
    (r"where both trained normally", "where neither failed"),
    (r"the one retrained trial", "the one trial that was run again"),
    (r"retrained trials", "trials that were run again"),
    (r"retrained", "run again"),
    (r"was trained", "was run"),
    (r"The trials trained", "The trials ran"),
    (r"Epochs of training by", "Epochs by"),
    (r"at the end of training", "at the end"),
    (r"a quarter and half of training", "a quarter and half of the run"),
    (r"trained to the end", "ran to the end"),
    (r"reached non-finite values", "ended without a value"),
    (r"had finite values throughout", "ran without a failure"),
    (r"diverged", "failed"),
    (r"seed noise", "noise"),
    (r"rom seed to seed", "rom run to run"),
    (r"that of seeds alone", "that of equal runs alone"),
    (r"seeds alone may", "equal runs may"),
    (r"validations", "values"),
    (r"Validation (?=\w+ by epoch)", ""),
    (r"\ban epoch\b", "a step"),
    (r"epoch", "step"),
    (r"Epoch", "Step"),
)  # fmt: skip
"""Words of training, and what they are where a trial is a run of any program. Not within `code`."""
LABELS = {"diverged": "failed", "seeds and examples": "seeds and choice"}
"""Labels of charts and cells of tables, which are no sentences."""
UNKNOWN_FIGURES = ("isolation", "verdicts", "best-steps", "seeds")
"""Empty figures that would ask for what only our own stages measure."""
OURS = re.compile(r"`thalweg|params\.yaml|`(?:study|confirm|diagnose|data|task|training|optimizer|schedule|loss)\.")


class _Vocabulary(NamedTuple):
    """The names of a study, which stay as they are, and the rules for words that none of them has."""

    names: frozenset[str]
    words: tuple[tuple[str, str], ...]


@lru_cache(maxsize=64)
def _build_vocabulary(tables: StudyTables) -> _Vocabulary:
    names = {*tables.metric_labels.values(), *(parameter.name for parameter in tables.space)}
    names |= {choice for parameter in tables.space for choice in parameter.choices if isinstance(choice, str)}
    words = tuple(rule for rule in WORDS if not any(_is_used(rule, name) for name in names))
    return _Vocabulary(frozenset(names), words)


def _is_used(rule: tuple[str, str], name: str) -> bool:
    """Return whether a name of the study has the word that a rule replaces, or the one that it gives."""
    pattern, replacement = rule
    return bool(re.search(pattern, name)) or bool(replacement and replacement in name)


def reword_text(tables: StudyTables, text: str) -> str:
    """Put a text of a section into the words of another program's study; unchanged where the study is our own."""
    if not tables.is_foreign:
        return text
    vocabulary = _build_vocabulary(tables)
    if text in vocabulary.names:
        return restore_names(tables, text)
    for pattern, replacement in STEPS:
        text = re.sub(pattern, replacement, text)
    parts = re.split(r"(`[^`]*`)", text)
    for pattern, replacement in vocabulary.words:
        parts[::2] = [re.sub(pattern, replacement, part) for part in parts[::2]]
    return restore_names(tables, "".join(parts).strip())


def restore_names(tables: StudyTables, text: str) -> str:
    """Put the study's own name in place of each column that has another one; a blank name would vanish."""
    for column, name in tables.own_names.items():
        if name.strip():
            text = re.sub(rf"(?<!\w){re.escape(column)}(?!\w)", lambda _, name=name: name, text)  # type: ignore[misc]
    return text


def reword_findings(tables: StudyTables, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Reword findings; a step that still asks for what only our own studies have is dropped."""
    if not tables.is_foreign:
        return tuple(findings)
    return tuple(
        replace(
            finding,
            verdict=reword_text(tables, finding.verdict),
            evidence=reword_text(tables, finding.evidence),
            next_step=_reword_step(tables, finding),
            numbers={restore_names(tables, name): value for name, value in finding.numbers.items()},
            interval=_reword_interval(tables, finding.interval),
        )
        for finding in findings
    )


def _reword_interval(tables: StudyTables, interval: NumberInterval | None) -> NumberInterval | None:
    return None if interval is None else replace(interval, of=restore_names(tables, interval.of))


def _reword_step(tables: StudyTables, finding: Finding) -> Step:
    """Reword a step; one that changes the search space has the lines of a program that asks Optuna."""
    step = read_step(finding)
    if not tables.is_foreign:
        return step
    words = _keep_step(tables, reword_text(tables, step))
    is_search = SPACE in step.patch and bool(words)
    return Step(words, commands=format_suggestions(tables, build_next_space(tables)) if is_search else ())


def _keep_step(tables: StudyTables, step: str) -> str:
    """Return a step, or '' if it names a setting or a command of ours that is no name of the study."""
    names = _build_vocabulary(tables).names
    own = re.sub(r"`([^`:]*)[^`]*`", lambda match: "" if match[1] in names else match[0], step)
    return "" if OURS.search(own) else step


def reword_figures(tables: StudyTables, figures: Sequence[Figure]) -> tuple[Figure, ...]:
    """Reword the titles and captions of figures, and the states of trials in tables."""
    if not tables.is_foreign:
        return tuple(figures)
    kept = (each for each in figures if not isinstance(each, EmptyFigure) or each.id not in UNKNOWN_FIGURES)
    return tuple(_reword_figure(tables, figure) for figure in kept)


def _reword_figure(tables: StudyTables, figure: Figure) -> Figure:
    title = reword_text(tables, figure.title)
    if isinstance(figure, EmptyFigure):
        return replace(figure, title=title, reason=reword_text(tables, figure.reason))
    figure = replace(figure, title=title, caption=reword_text(tables, figure.caption))
    if isinstance(figure, Chart):
        description = reword_text(tables, figure.description)
        shown = {column: name for column, name in tables.own_names.items() if name.strip()}
        data = {name: _reword_labels(table, LABELS, "role", "over") for name, table in figure.data.items()}
        data = {name: _reword_labels(table, shown, "parameter", "row") for name, table in data.items()}
        labels = {**LABELS, "epoch": reword_text(tables, "epoch"), **shown}
        return replace(figure, description=description, data=data, labels=labels)
    if isinstance(figure, TrialTable):
        markdown_figure = _reword_figure(tables, figure.markdown_figure)
        assert not isinstance(markdown_figure, TrialTable)
        heading = _reword_rows(tables, figure.rows).columns[list(figure.rows).index(tables.objective)]
        hint = figure.hint.replace(f"`{tables.objective}<", f"`{heading}<")
        figure = replace(figure, hint=hint, markdown_figure=markdown_figure)  # type: ignore[arg-type]
    return replace(figure, rows=_reword_rows(tables, figure.rows)) if isinstance(figure, Table | TrialTable) else figure


def _reword_rows(tables: StudyTables, rows: pd.DataFrame) -> pd.DataFrame:
    """Reword the headings of a table that are no names of the study, and the states of trials.

    A column that has another name than its parameter keeps it where two headings would be alike.
    """
    theirs = {column: restore_names(tables, column) for column in tables.own_names}
    headings = {str(name): reword_text(tables, str(name)) for name in rows if name not in tables.own_names}
    for column, name in {tables.objective: tables.objective_label, **theirs}.items():
        if name not in headings.values():
            headings[column] = name
    rows = _reword_labels(rows.rename(columns=headings), LABELS, "state", "state at the end")
    return _reword_labels(rows, theirs, "parameter")


def _reword_labels(table: pd.DataFrame, labels: Mapping[str, str], *columns: str) -> pd.DataFrame:
    return table.assign(**{name: table[name].replace(labels) for name in columns if name in table})
