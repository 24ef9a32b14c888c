"""Our sentences in the words of another program's study."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest

from tests.helpers.modules import MODULES
from thalweg.reporting import rewording
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Chart, EmptyFigure, Table
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.rewording import reword_figures, reword_findings, reword_text
from thalweg.reporting.sections import curves
from thalweg.reporting.tables import StudyTables

FILLERS = ("1", "word", "the sampler")
"""What stands for a value in a sentence of the source."""

COMPOSED = (
    "Continue the search: `thalweg study --trials 96`.",
    "Set `study.seeds: 4`: averaging over seeds tells more trials apart.",
    "9 trials learned nothing.",
    "Judge from epoch 3 on: `study.prune.first: 3`.",
    "Set `study.prune: null`.",
    "Stop the worse half early: `study.prune: {first: 2, eta: 2}`.",
    "Train longer than 8 epochs (`training.epochs`), or let the learning rate fall (`schedule.kind: cosine`).",
    "To save trials that diverged, search lower learning rates, set `optimizer.clip` or lengthen `schedule.warmup`.",
    "Lower `optimizer.learning_rate`, or set `optimizer.clip` or lengthen `schedule.warmup`.",
    "Train longer than 8 epochs (`training.epochs`).",
    "Make the winner the next baseline: `cp artifacts/confirm/winner.yaml params.yaml`.",
    "On fresh seeds the same settings give 1 (0 to 2) there, 0.5 worse (0.1 to 0.9).",
    "Difference from the winner on the test set, over seeds and groups of examples: runner-up 1 0.1 (0.0 to 0.2).",
    "Bars: 95 % intervals. Thin bars: the same over seeds and groups, but for runner-up 1 over seeds alone.",
    "The intervals show what other seeds and other groups of examples would change.",
    "Its interval is over seeds. The first screen has intervals over seeds and groups; the winner's is also corrected.",
)
"""Sentences that several functions put together."""


def list_sentences(source: str) -> Iterator[str]:
    """List the strings of a module; a value in one is each of FILLERS, or the constant that it names."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            for filler in FILLERS:
                yield "".join(_fill_part(part, constants, filler) for part in node.values)


def _fill_part(part: ast.expr, constants: dict[str, str], filler: str) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    name = part.value.id if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name) else ""
    return constants.get(name, filler)


@cache
def collect_sentences() -> tuple[str, ...]:
    files = [file for name, file in MODULES.items() if name.startswith("reporting.") and name != "reporting.rewording"]
    return tuple(sentence for file in files for sentence in list_sentences(file.read_text()))


@pytest.fixture
def foreign_study(counting_study: StudyTables) -> StudyTables:
    return replace(counting_study, is_foreign=True, space=[SearchedParameter("lr", 1e-4, 1.0)])


def test_every_rule_has_a_sentence() -> None:
    """A sentence that is written anew must not leave its rule behind."""
    sentences, unused = {*collect_sentences(), *COMPOSED}, list[str]()
    for pattern, replacement in (*rewording.STEPS, *rewording.WORDS):
        found = {sentence for sentence in sentences if re.search(pattern, sentence)}
        unused += [] if found else [pattern]
        sentences |= {re.sub(pattern, replacement, sentence) for sentence in found}
    assert unused == []


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        ("Set `study.seeds: 8`: it halves the noise.", "Run each setting with 8 seeds: it halves the noise."),
        ("Continue the search: `thalweg study --trials 96`.", "Continue the search, to 96 trials in all."),
        ("Judge from epoch 4 on: `study.prune.first: 4`.", "Judge from step 4 on."),
        (
            "Stop the worse half early: `study.prune: {first: 4, eta: 2}`.",
            "Stop the worse half of the trials at step 4, and again whenever the number of steps has doubled.",
        ),
        (
            "To save trials that learned nothing, search lower learning rates, set `optimizer.clip` or lengthen "
            "`schedule.warmup`.",
            "Read the errors of the trials that ended at one value.",
        ),
        ("9 trials learned nothing.", "9 trials ended at one and the same value."),
        ("Above, all 9 trials learned nothing; below, none.", "Above, all 9 trials ended at one value; below, none."),
        ("Share of pairs whose leader at an epoch also leads.", "Share of pairs whose leader at a step also leads."),
        ("Choose by what each kind of error costs.", "Choose by what each objective is worth to you."),
        ("Below, none did. Trials that failed in another way are left out.", "Below, none did."),
        ("On the test set, loss is 1.", "On fresh seeds, loss is 1."),
        ("3 trials diverged at `epoch`.", "3 trials failed at `epoch`."),
        ("Next, search `lr` from 1 to 2.", "Next, search `lr` from 1 to 2."),
    ],
)
def test_sentences_are_translated(foreign_study: StudyTables, own: str, theirs: str) -> None:
    assert reword_text(foreign_study, own) == theirs


def test_own_studies_keep_their_words(counting_study: StudyTables) -> None:
    text = "Set `study.seeds: 8` for trials that diverged on the test set."
    assert reword_text(counting_study, text) == text
    assert reword_findings(counting_study, [Finding(text, text, text)]) == (Finding(text, text, text),)


def test_words_of_the_study_are_no_words_of_ours(foreign_study: StudyTables) -> None:
    named = replace(foreign_study, space=[SearchedParameter("n_epochs", 1, 9), SearchedParameter("diverged", 0, 1)])
    assert reword_text(named, "By epoch 3, 2 trials diverged.") == "By epoch 3, 2 trials diverged."
    assert reword_text(foreign_study, "By epoch 3, 2 trials diverged.") == "By step 3, 2 trials failed."


def test_steps_that_ask_for_our_settings_are_dropped(foreign_study: StudyTables) -> None:
    named = replace(foreign_study, space=[SearchedParameter("optimizer.lr", 1e-4, 1.0)])
    search = "Search `optimizer.lr` from 1 to 2."
    steps = ["Raise `confirm.members`.", "Change params.yaml.", "Run `thalweg run`.", search]
    kept = [finding.next_step for finding in reword_findings(named, [Finding("", "", step) for step in steps])]
    assert kept == ["", "", "", search]


def test_figures_and_tables_are_translated(foreign_study: StudyTables) -> None:
    rows = pd.DataFrame({"state": ["diverged", "complete"], "epochs": [1, 2]})
    table, reason = Table("a", "By epoch", "Epochs.", rows), EmptyFigure("verdicts", "Verdicts", "None.")
    (found,) = reword_figures(foreign_study, [table, reason])
    assert isinstance(found, Table)
    assert (found.title, found.caption, found.rows.to_dict("list")) == (
        "By step",
        "Steps.",
        {"state": ["failed", "complete"], "steps": [1, 2]},
    )
    assert rows["state"].tolist() == ["diverged", "complete"]


def test_headings_are_never_alike(foreign_study: StudyTables) -> None:
    names = {"params_rank": "rank", "params_role": "role"}
    named = replace(foreign_study, own_names=names, objective="value", metric_labels={"value": "epoch"})
    rows = pd.DataFrame([[1, 2, 3, 0.5]], columns=["rank", "params_rank", "params_role", "value"])
    (found,) = reword_figures(named, [Table("a", "a", "", rows)])
    assert isinstance(found, Table)
    assert list(found.rows) == ["rank", "params_rank", "role", "epoch"]
    assert (
        reword_text(named, "`params_rank` mattered, params_ranks did not.") == "`rank` mattered, params_ranks did not."
    )


def test_axes_are_translated(foreign_study: StudyTables) -> None:
    charts = [
        each for each in reword_figures(foreign_study, curves.build_figures(foreign_study)) if isinstance(each, Chart)
    ]
    specs = [str(chart.spec_without_data) for chart in charts]
    assert any("'field': 'epoch'" in spec and "'title': 'step'" in spec for spec in specs)
