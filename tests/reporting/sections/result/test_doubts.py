"""What forbids a plain verdict, in studies where it is so."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers.drawn_tables import estimate, summarize
from tests.helpers.verdicts import list_verdicts
from thalweg.artifacts.summary import Confirmation, Estimate
from thalweg.reporting.page.figures import Chart
from thalweg.reporting.render import render_html
from thalweg.reporting.sections import curves, data, result, select_sections
from thalweg.reporting.sections.result.candidates import build_candidates_chart
from thalweg.reporting.tables import StudyTables


def with_diverged_seeds(tables: StudyTables, **bad: Sequence[int]) -> StudyTables:
    """The study in which candidates diverged on the seeds of these places, where they are far worse."""
    runs = tables.runs.assign(diverged_step=pd.array([pd.NA] * len(tables.runs), dtype="Int64"))
    for name, places in bad.items():
        rows = runs.index[runs["candidate"] == name.replace("_", " ")][list(places)]
        runs.loc[rows, ["diverged_step", "test_mae"]] = [41, 9.0]
    return replace(tables, runs=runs)


def test_diverged_baseline_is_not_compared(counting_study: StudyTables) -> None:
    findings = result.build_findings(with_diverged_seeds(counting_study, baseline=[0, 2, 5]))
    assert findings[0].verdict == "The baseline diverged on 3 of 8 fresh seeds."
    assert findings[0].tone == "caution"
    assert "It diverged on seeds 1000, 1002 and 1005, at step 41 at the earliest." in findings[0].evidence
    assert "On the 5 seeds where both trained normally" in findings[0].evidence
    assert "optimizer.clip" in findings[0].next_step
    assert not any("clearly better" in each.verdict or "No clear difference" in each.verdict for each in findings)


def test_diverged_candidates_are_named(counting_study: StudyTables) -> None:
    verdicts = list_verdicts(result, with_diverged_seeds(counting_study, winner=[1], baseline=[0, 2]))
    assert verdicts[:2] == [
        "The winner diverged on 1 of 8 fresh seeds.",
        "The baseline diverged on 2 of 8 fresh seeds.",
    ]
    assert not any("study's best value" in verdict or "runner" in verdict.lower() for verdict in verdicts)


def test_diverged_runner_up_keeps_verdict(counting_study: StudyTables) -> None:
    findings = result.build_findings(with_diverged_seeds(counting_study, **{"runner-up_1": [3]}))
    assert findings[0].verdict == result.build_findings(counting_study)[0].verdict
    assert findings[1].verdict == "Runner-up 1 diverged on 1 of 8 fresh seeds."
    (rivals,) = (each.evidence for each in findings if each.evidence.startswith("Difference from the winner"))
    assert "runner-up 2" in rivals
    assert "runner-up 1" not in rivals
    assert result.build_findings(with_diverged_seeds(counting_study)) == result.build_findings(counting_study)


def with_failed_seeds(counting_study: StudyTables, name: str, *places: int) -> StudyTables:
    """The study in which a candidate learned nothing on the seeds of these places."""
    runs = counting_study.runs.copy()
    rows = runs.index[runs["candidate"] == name][list(places)]
    runs.loc[rows, ["validation_mae", "test_mae"]] = 5.0
    summary = summarize(counting_study.trials, runs, "mae", 1, "test", {"the median count": 2.4})
    return replace(counting_study, runs=runs, summary=summary)


def test_failed_seed_is_left_out_of_comparison(counting_study: StudyTables) -> None:
    first, simple, verdict, *_ = result.build_findings(with_failed_seeds(counting_study, "winner", 2))
    assert first.verdict == "The winner failed on 1 of 8 fresh seeds."
    where = "On the 7 seeds where both trained normally"
    assert f"{where}, the winner's mean absolute error on the test set differs" in first.evidence
    assert first.tone == "caution"
    assert "mean absolute error is 5 there and 0.7" in first.evidence
    assert first.next_step.startswith("To save the seeds on which the winner fails, ")
    # over all seeds, what would be had from any one of them
    assert simple.verdict == "The winner is not clearly better than the median count."
    assert verdict.verdict == "The baseline is ahead of the winner on fresh seeds, within noise."
    worst, *_ = [
        finding
        for finding in result.build_findings(with_failed_seeds(counting_study, "winner", 0, 1, 2, 3, 4, 5))
        if "median" in finding.verdict
    ]
    assert re.fullmatch(r"The winner is no better than the median count: [\d.]+ against [\d.]+\.", worst.verdict)
    base = result.build_findings(with_failed_seeds(counting_study, "baseline", 0))
    assert base[0].verdict == "The baseline failed on 1 of 8 fresh seeds."
    finding = result.build_findings(with_diverged_seeds(counting_study, winner=[1]))[0]
    assert finding.verdict == "The winner diverged on 1 of 8 fresh seeds."
    assert "On the 7 seeds where both trained normally" in finding.evidence


def test_many_failed_seeds_are_spread(counting_study: StudyTables) -> None:
    assert "failed" not in result.build_findings(with_failed_seeds(counting_study, "winner", 0, 2, 5))[0].verdict


def get_confirmation(tables: StudyTables) -> Confirmation:
    assert tables.summary.confirm is not None
    return tables.summary.confirm


def with_all_trials_diverged(counting_study: StudyTables) -> StudyTables:
    """The study had every trial diverged: the baseline's runs stand where a winner's would."""
    base = counting_study.runs[counting_study.runs["candidate"] == "baseline"]
    runs = pd.concat([base, base.assign(candidate="winner")], ignore_index=True)
    level = get_confirmation(counting_study).baseline
    entries = Confirmation(level, level, estimate(0.0, 0.0))
    trials = counting_study.trials.assign(state="diverged", value=np.nan)
    return replace(counting_study, runs=runs, trials=trials, summary=replace(counting_study.summary, confirm=entries))


def test_all_diverged_has_no_winner(counting_study: StudyTables) -> None:
    (finding,) = result.build_findings(with_all_trials_diverged(counting_study))
    assert finding.verdict == "Every trial of the study diverged: there was no winner to confirm."
    assert "predict` uses the baseline" in finding.evidence
    assert finding.next_step.startswith("Lower both ends of `optimizer.learning_rate`")
    beyond = replace(with_all_trials_diverged(counting_study), trials=counting_study.trials.assign(state="infeasible"))
    assert result.build_findings(beyond)[0].verdict.startswith("The study has no complete trial")


def test_missing_winner_is_not_shown(counting_study: StudyTables) -> None:
    tables = with_all_trials_diverged(counting_study)
    assert (tables.has_winner, counting_study.has_winner) == (False, True)
    assert replace(counting_study, runs=pd.DataFrame()).has_winner  # the best of the study, as far as is known
    # a trial may be complete, and yet none could be confirmed
    half = replace(tables, trials=counting_study.trials)
    assert not half.has_winner
    head = render_html(half, select_sections(half)).partition("</header>")[0]
    assert "<dt" in head
    assert "winner</dt>" not in head
    assert "baseline</dt>" in head
    assert curves.build_findings(half) == []
    assert not any(figure.id == "loss-winner" for figure in curves.build_figures(half))
    figures = {figure.id: figure for figure in result.build_figures(half)}
    assert "differences" not in figures
    level = build_candidates_chart(half)
    assert level
    assert set(level.data["points"]["role"]) == {"baseline"}
    assert all("baseline's settings" in finding.evidence for finding in data.build_findings(half))
    (images,) = data.build_figures(half)
    assert isinstance(images, Chart)
    assert "of the baseline:" in images.description


def with_groups(tables: StudyTables, groups: int | None, gap: float = 0.0) -> StudyTables:
    """The study judged on so many groups of examples, its difference moved by `gap`."""
    confirmation = get_confirmation(tables)
    plain = confirmation.difference
    moved = Estimate(plain.mean + gap, plain.low + gap, plain.high + gap, plain.seeds, groups)
    return replace(tables, summary=replace(tables.summary, confirm=replace(confirmation, difference=moved)))


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        (0.0, "The winner is better than the baseline on this one group of examples."),
        (1.0, "The baseline is better than the winner on this one group of examples."),
    ],
)
def test_one_group_limits_intervals_to_seeds(counting_study: StudyTables, gap: float, verdict: str) -> None:
    tables = with_groups(counting_study, 1, gap)
    first = result.build_findings(tables)[0]
    assert first.verdict == verdict
    assert first.tone == "caution"
    assert "not for other examples" in first.evidence
    (simple,) = [each for each in result.build_findings(tables) if "simple answer" in each.verdict]
    assert (simple.verdict, simple.tone) == (
        "The winner beats the simple answer on this one group of examples.",
        "plain",
    )
    (rivals,) = [each for each in result.build_findings(tables) if "Difference from the winner" in each.evidence]
    assert "over seeds alone: runner-up 1" in rivals.evidence
    (apart,) = [figure for figure in result.build_figures(tables) if figure.id == "differences"]
    assert isinstance(apart, Chart)
    assert apart.caption.endswith("the intervals show what other seeds would change.")


def test_failures_that_seeds_may_miss_are_named(counting_study: StudyTables) -> None:
    """With a rate of 31.2 %, none of 8 seeds fails in 5 % of studies; with 63.2 %, none of 3."""
    first = result.build_findings(counting_study)[0]
    assert first.evidence.endswith(
        "Not one of 8 seeds failed. So few seeds may miss a failure that strikes up to 31 % of all seeds. The "
        "intervals are for seeds that do not fail."
    )
    everything = " ".join(finding.evidence for finding in result.build_findings(counting_study))
    assert everything.count("may miss a failure") == 1
    few = replace(counting_study, runs=counting_study.runs[counting_study.runs["seed"] < 1003])
    assert "Not one of 3 seeds diverged. So few seeds may miss a failure that strikes up to 63 %" in (
        result.build_findings(few)[0].evidence
    )
    for name in ("winner", "baseline"):
        words = " ".join(each.evidence for each in result.build_findings(with_failed_seeds(counting_study, name, 2)))
        assert ("Not one of the winner's 8 seeds failed." in words) == (name == "baseline")


def test_many_or_unknown_groups_change_nothing(counting_study: StudyTables) -> None:
    assert (
        result.build_findings(with_groups(counting_study, 12))
        == result.build_findings(with_groups(counting_study, None))
        == result.build_findings(counting_study)
    )
    assert "show what other seeds and other groups of examples would change." in render_html(
        counting_study, select_sections(counting_study)
    )


def test_broken_constraint_is_reported(counting_study: StudyTables) -> None:
    def list_evidence(low: float | None, high: float | None) -> list[str]:
        study = counting_study.params["study"] | {"constraints": {"rmse": {"low": low, "high": high}}}
        findings = result.build_findings(replace(counting_study, params=counting_study.params | {"study": study}))
        return [each.evidence for each in findings if "breaks the limit on root mean square error" in each.verdict]

    (evidence,) = list_evidence(None, 0.5)
    assert evidence.startswith("Its mean on the validation set over 8 fresh seeds is 0.9")
    assert evidence.endswith("`study.constraints` asks for at most 0.5.")
    (evidence,) = list_evidence(3.0, None)
    assert evidence.endswith("asks for at least 3.")
    assert list_evidence(0.5, 3.0) == []
