"""The verdict on the winner, in studies where the truth is planted."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.helpers.drawn_tables import estimate, with_file_values
from thalweg.artifacts.summary import Comparison, Confirmation, Estimate, RunnerUp
from thalweg.reporting.analysis.confirmed import ConfirmedResult, build_confirmed_result
from thalweg.reporting.page.figures import Chart, Table
from thalweg.reporting.page.strips import StripRow, build_strip_chart
from thalweg.reporting.render import render_html
from thalweg.reporting.sections import result, select_sections
from thalweg.reporting.sections.result import candidates, selection_bias, shortage
from thalweg.reporting.tables import StudyTables
from thalweg.stats.intervals import VarianceSource, t_interval
from thalweg.stats.samples import count_seeds_needed

SEEDS = range(8)
TIE = (
    "No clear difference between the winner and the baseline.",
    "The baseline is ahead of the winner on fresh seeds, within noise.",
)
SPREAD = 0.02 * np.array([-1.2, -0.8, -0.4, -0.1, 0.1, 0.4, 0.8, 1.2])


def build_estimate(mean: float, half: float, **more: Any) -> Estimate:
    return estimate(mean, half, **({"groups": 12, "groups_error": 0.0, "groups_dof": 11.0} | more))


def build_confirmed_study(
    counting_study: StudyTables, gap: float, half: float, corrected: tuple[float, float] | None = None, **more: Any
) -> StudyTables:
    """The two best trials as winner and runner-up, by `gap` from the baseline at 1, every other seed better.

    Intervals are as given; no simple answer is known.
    """
    best, second = counting_study.ranked["number"].head(2)
    trials = {"winner": best, "runner-up 1": second, "baseline": None}
    values = {"winner": 1.0 + gap + SPREAD, "runner-up 1": 1.0 + gap + SPREAD[::-1], "baseline": np.ones(8)}
    runs = pd.concat(
        pd.DataFrame({"candidate": who, "trial": trials[who], "seed": SEEDS,
                      "validation_mae": scores, "test_mae": scores})
        for who, scores in values.items()
    )  # fmt: skip
    confirmation = Confirmation(
        build_estimate(1.0 + gap, half), build_estimate(1.0, half), build_estimate(gap, half, **more)
    )
    if corrected:
        level, apart = build_estimate(1.0 + corrected[0], corrected[1]), build_estimate(*corrected, **more)
        confirmation = replace(confirmation, corrected=level, corrected_difference=apart)
    summary = replace(counting_study.summary, confirm=confirmation)
    return replace(counting_study, runs=runs.reset_index(drop=True), summary=summary, references=pd.DataFrame())


def get_confirmed_result(tables: StudyTables) -> ConfirmedResult:
    confirmed = build_confirmed_result(tables)
    assert confirmed is not None
    return confirmed


def test_lead_within_selection_bias_is_no_lead(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -0.05, 0.03, (-0.01, 0.07))
    first, luck = result.build_findings(tables)[:2]
    assert first.verdict == "No clear difference between the winner and the baseline."
    assert "Corrected for that, the difference is −0.010 (−0.080 to +0.060)" in first.evidence
    assert (
        luck.verdict
        == "The winner's score is about 0.040 too optimistic, because it was chosen among 2 on these seeds."
    )
    assert luck.tone == "caution"
    assert "within noise" in luck.evidence
    assert get_confirmed_result(tables).decisive == build_estimate(-0.01, 0.07).interval


def test_choice_of_winner_comes_first(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -0.05, 0.01)
    count, winner = len(tables.ranked), tables.winner
    assert result.build_findings(tables)[0].evidence.startswith(
        f"The 2 best of {count} complete trials by mean absolute error on the validation set were retrained on 8 "
        f"fresh seeds. Trial {winner} is the best of them by the same measure on these seeds. On the test set, "
    )
    asked = replace(tables.parameters[0], name="kind", role="scientific", choices=("l1", "l2"))
    params = {**tables.params, "confirm": {**tables.params.get("confirm", {}), "questions": True}}
    asking = replace(tables, space=[asked], params=params, trials=tables.trials.assign(kind="l1"))
    assert result.build_findings(asking)[0].evidence.startswith(
        f"Of {count} complete trials, the best by mean absolute error on the validation set, and the best of each "
        f"value of `kind`, 2 in all, were retrained on 8 fresh seeds. Trial {winner} is the best of them"
    )
    alone = replace(tables, runs=tables.runs[tables.runs["candidate"] != "runner-up 1"])
    assert result.build_findings(alone)[0].evidence.startswith(
        f"Trial {winner} has the best mean absolute error on the validation set among {count} complete trials. It was "
        "retrained on 8 fresh seeds. On the test set, "
    )


def test_other_epochs_of_retraining_are_named(counting_study: StudyTables) -> None:
    longer = {**counting_study.params, "confirm": {**counting_study.params.get("confirm", {}), "epochs": 24}}
    tables = replace(build_confirmed_study(counting_study, -0.05, 0.01), params=longer)
    assert "retrained on 8 fresh seeds, for 24 epochs instead of 16. " in result.build_findings(tables)[0].evidence


def test_lead_beyond_selection_bias_wins(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -0.05, 0.01, (-0.04, 0.02))
    first, luck = result.build_findings(tables)[:2]
    assert first.verdict == "The winner is clearly better than the baseline."
    assert "The difference is −0.050 (−0.060 to −0.040)" in first.evidence
    assert "Corrected for that, the difference is −0.040 (−0.060 to −0.020); the verdict follows" in first.evidence
    assert luck.verdict.startswith("The winner's score is about 0.010 too optimistic")
    assert luck.tone == "plain"
    assert "0.960 (0.940 to 0.980)" in luck.evidence


def test_absent_selection_bias_is_reported(counting_study: StudyTables) -> None:
    verdict = "The winner's score is not too optimistic, although it was chosen among 2 on these seeds."
    finding = result.build_findings(build_confirmed_study(counting_study, -0.05, 0.03, (-0.07, 0.03)))[1]
    assert finding.verdict == verdict
    assert "less certain" not in finding.evidence
    # the correction takes the lead away, by its width alone
    first, finding = result.build_findings(build_confirmed_study(counting_study, -0.05, 0.03, (-0.06, 0.07)))[:2]
    assert "That did not flatter it, but makes its value less certain. With this, the difference is" in first.evidence
    assert finding.verdict == verdict
    assert finding.evidence.endswith("less certain: its lead over the baseline is within noise.")


def test_seed_independent_choice_has_no_bias(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -0.05, 0.03, (-0.05, 0.03))
    assert selection_bias.report_selection_bias(tables, get_confirmed_result(tables)) == []


def test_selection_bias_if_maximized(counting_study: StudyTables) -> None:
    tables = replace(build_confirmed_study(counting_study, 0.05, 0.03, (0.01, 0.07)), direction="max")
    assert (
        selection_bias.report_selection_bias(tables, get_confirmed_result(tables))[0].verdict
        == "The winner's score is about 0.040 too optimistic, because it was chosen among 2 on these seeds."
    )
    assert result.build_findings(tables)[0].verdict == "No clear difference between the winner and the baseline."


def test_one_value_is_quoted(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -0.05, 0.01, (-0.04, 0.02))
    steps = [finding.next_step for finding in result.build_findings(tables) if "Quote" in finding.next_step]
    assert len(steps) == 2
    assert all("Quote the corrected value on the test set" in step for step in steps)
    (alone,) = [
        finding.next_step
        for finding in result.build_findings(build_confirmed_study(counting_study, -0.05, 0.01))
        if "Quote" in finding.next_step
    ]
    assert "Quote the confirmed value on the test set" in alone
    findings = result.build_findings(build_confirmed_study(counting_study, -0.05, 0.03, (-0.05, 0.03)))
    assert not any("corrected value" in finding.next_step for finding in findings)  # there is nothing to correct


def test_one_candidate_has_no_bias(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -0.05, 0.03, (-0.05, 0.03))
    alone = replace(tables, runs=tables.runs[tables.runs["candidate"] != "runner-up 1"])
    for study in (alone, build_confirmed_study(counting_study, -0.05, 0.03)):
        assert selection_bias.report_selection_bias(study, get_confirmed_result(study)) == []


def test_optimism_is_of_the_best_trial(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -0.05, 0.03)
    winner, other = (int(number) for number in tables.ranked["number"].head(2))
    trials, runs = tables.trials.copy(), tables.runs.copy()
    trials.loc[trials["number"] == other, "value"] = 0.5  # the best, and 1.2 on fresh seeds, which choose the other
    runs.loc[runs["candidate"] == "runner-up 1", "validation_mae"] = 1.2 + SPREAD
    optimistic = replace(tables, trials=trials, runs=runs)
    (luck,) = selection_bias.report_optimism(optimistic, get_confirmed_result(optimistic))
    assert luck.verdict == "About 0.7 of the best trial's lead in the search was luck."
    assert f"trial {other} reached 0.50" in luck.evidence
    assert "on fresh seeds the same settings give 1.20" in luck.evidence.lower()
    assert " there, 0.700 worse (" in luck.evidence
    assert luck.tone == "caution"
    assert luck.evidence.endswith(
        f"The winner is trial {winner}: on the validation set it is the best of the 2 retrained trials."
    )
    better = runs.assign(validation_mae=np.where(runs["candidate"] == "baseline", 0.9, runs["validation_mae"]))
    (lead,) = selection_bias.report_optimism(replace(optimistic, runs=better), get_confirmed_result(optimistic))
    assert lead.evidence.endswith(" The baseline was retrained for comparison only; it reached 0.9 there.")
    assert luck.trials == (other, winner)
    diverged = replace(optimistic, runs=runs.assign(diverged_step=np.where(runs["trial"] == other, 3.0, np.nan)))
    absent = replace(optimistic, runs=runs[runs["trial"] != other])
    for study in (diverged, absent):
        assert selection_bias.report_optimism(study, get_confirmed_result(study)) == []


def test_seeds_needed_are_named(counting_study: StudyTables) -> None:
    gap, spread = -0.01, float(SPREAD.std(ddof=1))
    groups = VarianceSource(0.0, 11)
    even, surely = (count_seeds_needed(gap, spread, groups, power) for power in (0.5, 0.8))
    assert even is not None
    assert surely is not None
    assert 8 < even < surely < 60
    step = result.build_findings(build_confirmed_study(counting_study, gap, 0.02))[0].next_step
    assert f"{even} seeds would show it with a chance of 50 %, {surely} with 80 %." in step
    # the interval is -0.03 to 0.01
    fewest = count_seeds_needed(0.03, spread, groups, 0.8)
    assert f"as large as 0.03, which takes {fewest} seeds, or none, which no number of seeds shows." in step
    assert "seeds would" not in result.build_findings(build_confirmed_study(counting_study, -0.05, 0.02))[0].next_step


def test_only_a_gain_needs_seeds(counting_study: StudyTables) -> None:
    for gap, matters in ((-0.01, True), (0.01, False)):
        first = result.build_findings(build_confirmed_study(counting_study, gap, 0.02))[0]
        assert first.verdict == TIE[gap > 0]
        assert ("if so small a gain matters" in first.next_step) == matters
        assert "Keep the baseline" in first.next_step


def test_more_seeds_cannot_replace_groups(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -0.015, 0.02, groups=4, groups_error=0.01, groups_dof=3.0)
    near = result.build_findings(tables)[0].next_step
    assert (
        "More seeds will not settle a difference of 0.015: with any number of seeds, the 4 groups of the test set "
        "leave ±0.032 uncertain." in near
    )
    assert "More groups would" in near
    far = result.build_findings(build_confirmed_study(counting_study, -1e-5, 0.02))[0].next_step
    assert (
        "If it is the true one, even 100 seeds find it with a chance of less than 80 %. The 12 groups of the test set "
        "limit this comparison." in far
    )
    assert "enlarge `data.split.test`" in far
    for step in (near, far):  # the report does not advise what cannot help
        assert "confirm on more seeds" not in step


def test_both_seeds_and_groups_may_lack(counting_study: StudyTables) -> None:
    """Eight seeds leave t(7) * 0.0167 / sqrt(8), and four groups t(3) * 0.01: more of one alone settles nothing."""
    tables = build_confirmed_study(counting_study, -0.01, 0.02, groups=4, groups_error=0.01, groups_dof=3.0)
    step = result.build_findings(tables)[0].next_step
    assert (
        "To settle a difference of 0.01 takes more seeds and more groups: 8 seeds leave ±0.013 uncertain, and the 4 "
        "groups of the test set ±0.032." in step
    )
    assert step.count("`confirm.seeds`") == 1
    assert "Raise `confirm.seeds`, too." in step


def test_unequal_groups_leave_more_uncertain(counting_study: StudyTables) -> None:
    """Of twelve groups, three hold most examples: their degrees of freedom decide, not the number of groups."""
    for dof, margin in ((11.0, "±0.022"), (2.0, "±0.043")):
        tables = build_confirmed_study(counting_study, -0.015, 0.03, groups_error=0.01, groups_dof=dof)
        assert margin in result.build_findings(tables)[0].next_step


def test_corrected_difference_is_named_as_in_the_head(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -1e-5, 0.02)
    measured = get_confirmed_result(tables)
    assert "hardly settle a difference of 1.0e−5. If it " in shortage.describe_seeds_needed(tables, measured)
    words = shortage.describe_seeds_needed(tables, replace(measured, decisive=replace(measured.decisive, mean=2e-5)))
    assert "hardly settle the corrected difference of 2.0e−5. If it " in words


@pytest.mark.parametrize(("gap", "decimals"), [(-0.03, 3), (-0.0054, 4)])
def test_means_differ_by_the_difference_as_shown(counting_study: StudyTables, gap: float, decimals: int) -> None:
    confirmed = get_confirmed_result(build_confirmed_study(counting_study, gap, 0.06))
    # 0.9852 and 0.9906 would be 0.985 and 0.991, which differ by 0.006
    level = confirmed.baseline
    moved = replace(confirmed, winner=replace(level, mean=0.9906 + gap), baseline=replace(level, mean=0.9906))
    assert moved.decimals == decimals


def with_answer(tables: StudyTables, value: float, mean: float, half: float, **more: Any) -> StudyTables:
    """The study with a simple answer of this value, and its difference from the winner."""
    answers = (Comparison("the median count", build_estimate(mean, half, **more)),)
    simple = pd.DataFrame([{"answer": "the median count", "mae": value}])
    return replace(tables, summary=replace(tables.summary, answers=answers), references=simple)


@pytest.mark.parametrize(
    ("groups_error", "lead", "step"),
    [
        (0.001, 0.01, "Confirm on more seeds (`confirm.seeds`): the winner learns (Health), but with 8 seeds it may"),
        (
            0.01,
            0.02205,
            "more seeds alone will hardly settle this: the 12 groups of the test set limit the comparison.",
        ),
        (0.2, 0.25, "with any number of seeds the 12 groups of the test set leave ±0.44 uncertain. More groups would"),
        (0.2, 0.01, "(Health), but 8 seeds leave ±0.013 uncertain, and the 12 groups of the test set ±0.44. More"),
    ],
)
def test_doubtful_winner_that_learns_needs_seeds_or_groups(
    counting_study: StudyTables, groups_error: float, lead: float, step: str
) -> None:
    tables = build_confirmed_study(counting_study, -0.05, 0.3)
    doubtful = with_answer(tables, 0.95 + lead, lead, 0.5, groups_error=groups_error)
    first = result.build_findings(doubtful)[0]
    assert first.verdict == "The winner is not clearly better than the median count."
    assert step in first.next_step
    flat = replace(doubtful, curves=doubtful.curves.assign(train_loss=1.0))
    assert result.build_findings(flat)[0].next_step.startswith("Check whether the winner learns at all (Health)")
    worse = result.build_findings(with_answer(tables, 0.9, -0.05, 0.5))[0]
    assert worse.verdict == "The winner is no better than the median count: 0.95 against 0.9."
    assert worse.next_step.startswith("The winner learns (Health): check whether it overfits")


def test_paired_answer_decides(counting_study: StudyTables) -> None:
    """The winner's own interval contains the answer's value, and the interval of their difference is clear."""
    tables = with_answer(build_confirmed_study(counting_study, -0.05, 3.0), 2.0, 1.05, 0.2)
    found = [finding for finding in result.build_findings(tables) if "simple answer" in finding.verdict]
    assert [finding.verdict for finding in found] == ["The winner beats the simple answer."]
    assert "the median count has mean absolute error 2, 1.05 worse (0.85 to 1.25) than the winner." in found[0].evidence
    worse = result.build_findings(with_answer(tables, 0.5, -0.45, 0.2))[0]
    assert worse.verdict == "The winner is clearly worse than the median count: 0.95 against 0.5."


@pytest.mark.parametrize(
    ("value", "lead", "verdict"),
    [
        (0.98, 0.03, "The winner beats the median count, which the baseline does not."),
        (0.9, -0.05, "The winner is clearly worse than the median count: 0.95 against 0.9."),
        (0.999, 0.0, "The winner is no better than the median count: 0.95 against 0.999."),
        (1.2, 0.25, "The winner is clearly better than the baseline."),
    ],
)
def test_weak_baseline_comes_before_the_comparison(
    counting_study: StudyTables, value: float, lead: float, verdict: str
) -> None:
    tables = with_answer(build_confirmed_study(counting_study, -0.05, 0.005), value, lead, 0.01)
    verdicts = [finding.verdict for finding in result.build_findings(tables)]
    assert verdicts[0] == verdict
    weak = "The baseline is worse than the median count: to beat it is no success."
    assert (weak in verdicts) == (value < 0.98)


def with_rivals(tables: StudyTables, **differences: tuple[float, float]) -> StudyTables:
    rivals = tuple(Comparison(name.replace("_", " "), build_estimate(*ends)) for name, ends in differences.items())
    return replace(tables, summary=replace(tables.summary, runners_up=rivals))


@pytest.mark.parametrize(
    ("mean", "verdict", "tone"),
    [
        (0.3, "The winner is clearly better than its runner-up on fresh seeds.", "good"),
        (-0.3, "Runner-up 1 is clearly better than the winner on the test set.", "caution"),
        (0.1, "Runner-up 1 is not clearly worse than the winner on fresh seeds.", "plain"),
    ],
)
def test_runner_up_has_three_cases(counting_study: StudyTables, mean: float, verdict: str, tone: str) -> None:
    tables = with_rivals(build_confirmed_study(counting_study, -0.05, 0.01), **{"runner-up_1": (mean, 0.2)})
    (found,) = [finding for finding in result.build_findings(tables) if "unner-up" in finding.verdict]
    assert (found.verdict, found.tone) == (verdict, tone)
    assert "over seeds and groups of examples: runner-up 1" in found.evidence


def test_runner_up_with_the_files_values_is_the_baseline(counting_study: StudyTables) -> None:
    tables = with_rivals(build_confirmed_study(counting_study, -0.05, 0.01), **{"runner-up_1": (0.3, 0.2)})
    second = tables.runs.loc[tables.runs["candidate"] == "runner-up 1", "trial"].iloc[0]
    same = with_file_values(tables, int(second))
    confirmed = get_confirmed_result(same)
    assert confirmed.candidates == ("winner", "baseline")
    assert confirmed.contender_count == 2
    assert not any("unner-up" in finding.verdict for finding in result.build_findings(same))
    listing = next(each for each in result.build_figures(same) if isinstance(each, Table))
    assert listing.rows["candidate"].tolist() == ["winner", "baseline"]


def test_nothing_is_better_without_untouched_examples(counting_study: StudyTables) -> None:
    """Headline, tone, evidence and first step agree; no finding says that the winner beats anything."""
    tested = with_rivals(build_confirmed_study(counting_study, -0.05, 0.01), **{"runner-up_1": (0.3, 0.2)})
    tested = with_answer(tested, 2.0, 1.05, 0.2)
    tables = replace(tested, runs=tested.runs.drop(columns="test_mae"))
    findings = result.build_findings(tables)
    assert findings[0].verdict == "The winner leads the baseline on the examples that chose it."
    assert findings[0].tone == "caution"
    assert "On other examples its lead may vanish." in findings[0].evidence
    assert findings[0].next_step.startswith("Hold some examples out (`data.split.test`)")
    assert not any(word in finding.verdict for finding in findings for word in ("beats", "clearly better"))
    assert {finding.tone for finding in findings if "leads" in finding.verdict} == {"caution", "plain"}
    head = render_html(tables, select_sections(tables)).partition("</header>")[0]
    assert "leads the baseline on the examples that chose it" in head
    assert "Hold some examples out" in head
    assert "next baseline" not in head


def test_unknown_noise_names_no_seeds(counting_study: StudyTables) -> None:
    for tables in (
        build_confirmed_study(counting_study, -0.01, 0.02, groups_error=None),
        build_confirmed_study(counting_study, 0.0, 0.02),
    ):
        assert shortage.describe_seeds_needed(tables, get_confirmed_result(tables)) == ""


def test_levels_are_within_bounds(counting_study: StudyTables) -> None:
    near = np.array([0.999, 0.9, 1.0])
    runs = pd.concat(
        pd.DataFrame({"candidate": who, "trial": 1, "seed": range(3), "validation_accuracy": near + by,
                      "test_accuracy": near + by, "test_log_loss": [0.1, 0.0, 0.3], "validation_log_loss": 0.1})
        for who, by in (("winner", 0.0), ("baseline", -0.01))
    )  # fmt: skip
    confirmation = Confirmation(build_estimate(0.97, 0.03), build_estimate(0.96, 0.03), build_estimate(0.01, 0.2))
    bounds = {"accuracy": (0.0, 1.0), "log_loss": (0.0, np.inf)}
    tables = replace(counting_study, runs=runs, objective="accuracy", direction="max", bounds=bounds,
                     summary=replace(counting_study.summary, confirm=confirmation))  # fmt: skip
    level = candidates.build_candidates_chart(tables)
    assert level
    assert level.data["bars"]["high"].max() == 1.0
    plain = t_interval(near)
    assert plain is not None
    assert plain.high > 1.0
    assert level.data["bars"]["low"].max() == pytest.approx(plain.low)
    listing = next(each for each in result.build_figures(tables) if isinstance(each, Table))
    assert listing.rows["accuracy"].iloc[0].endswith("to 1.000)")
    assert "(0.00 to" in listing.rows["log loss"].iloc[0]
    apart = next(each for each in result.build_figures(tables) if each.id == "differences")
    assert isinstance(apart, Chart)
    assert apart.data["wide"]["low"].min() < -0.1


def test_strip_names_its_dots() -> None:
    values = pd.Series([1.0, 2.0], index=[7, 3])
    chart = build_strip_chart("a", "A", "", "a", [StripRow("a", "", "winner", values, None, unit="trial")])
    assert chart.data["points"]["run"].tolist() == ["trial 3", "trial 7"]


def test_runners_up_have_intervals_over_groups(counting_study: StudyTables) -> None:
    tables = build_confirmed_study(counting_study, -0.2, 0.1)
    others = (RunnerUp("runner-up 1", build_estimate(0.8, 0.3), build_estimate(-0.2, 0.4)),)
    known, unknown = (replace(tables, summary=replace(tables.summary, others=found)) for found in (others, ()))
    for chart, low in ((candidates.build_candidates_chart(known), 0.5), (build_differences(known), -0.6)):
        assert chart is not None
        wide = chart.data["wide"].set_index("role")
        assert wide.loc["runner-up", "low"] == pytest.approx(low)
        assert "seeds alone" not in chart.caption
        assert "over seeds alone" not in chart.description
    for chart in (candidates.build_candidates_chart(unknown), build_differences(unknown)):
        assert chart is not None
        assert "runner-up" not in set(chart.data["wide"]["role"])
        assert chart.caption.endswith(", but for runner-up 1 over seeds alone.")


def build_differences(tables: StudyTables) -> Chart | None:
    return candidates.build_differences_chart(tables, get_confirmed_result(tables))
