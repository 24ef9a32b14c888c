"""What the report claims of a simulated study, held against the truth of its world."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.calibration.outcome import Counts, Outcome
from benchmarks.calibration.rows import Row
from benchmarks.calibration.simulate import Simulation, build_config
from benchmarks.calibration.worlds import KIND, MOMENTUM, RATE
from thalweg.config import spaces
from thalweg.reporting.finding import Finding
from thalweg.reporting.sections import importance, pareto, result
from thalweg.reporting.tables import StudyTables


@dataclass(frozen=True)
class Study:
    """A simulated study with its report's findings, by section."""

    simulation: Simulation
    tables: StudyTables
    findings: Mapping[str, list[Finding]]

    def match_verdicts(self, section: str, pattern: str) -> Iterator[re.Match[str]]:
        """Yield each match of a pattern with a verdict of a section."""
        return (match for finding in self.findings[section] for match in re.finditer(pattern, finding.verdict))


Judge = Callable[[Study], Outcome | None]
"""None: the study says nothing of this kind."""


def count_study(row: Row, seed: int) -> Counts:
    """Simulate one study; return its counts."""
    study = build_study(Simulation(row.world, build_config(seed, row.build_changes()), has_test=row.has_test))
    outcomes = {name: judge(study) for name, judge in CLAIMS.items()}
    counts = {name: outcome.count() for name, outcome in outcomes.items() if outcome is not None}
    return counts | {name: [int(holds), 1] for name, holds in list_intervals(study).items()}


def build_study(simulation: Simulation) -> Study:
    tables = simulation.run()
    sections = {"Result": result, "What matters": importance, "Trade-offs": pareto}
    return Study(simulation, tables, {name: section.build_findings(tables) for name, section in sections.items()})


def judge_better_value(study: Study) -> Outcome:
    """Judge "`kind` matters: A is better than B and C, each at its own best in this space"."""
    heights = _list_best_errors(study)
    searched = list(heights.values())
    said = list(study.match_verdicts("What matters", rf"`{re.escape(KIND)}` matters: (\w+) is better than ([^,;.]*),"))
    pairs = [(match[1], worse) for match in said for worse in re.findall(r"\w+", match[2]) if worse != "and"]
    is_true = all(heights[better] < heights[worse] for better, worse in pairs)
    return Outcome(bool(pairs), is_true, max(searched) > min(searched))


def judge_equal_trials(study: Study) -> Outcome:
    """Judge "`kind` makes no difference of 0.05 or more between the best trials of A and B"."""
    question = next((asked for asked in study.tables.summary.questions if asked.parameter == KIND), None)
    numbers = [] if question is None else [question.trial, *(other.trial for other in question.others)]
    errors = _list_errors(study)
    return _judge_sameness(study, [errors[number] for number in numbers if number is not None])


def judge_equal_values(study: Study) -> Outcome:
    """Judge the same as if it were said of A and B at their own best, which the search may have missed."""
    return _judge_sameness(study, list(_list_best_errors(study).values()))


def _list_best_errors(study: Study) -> dict[str, float]:
    """Return the true error of each searched loss at its own best in the space."""
    space = study.simulation.config.study.space
    low, high, momentum = (float(end or 0.0) for end in (space[RATE].low, space[RATE].high, space[MOMENTUM].high))
    paces = np.log10(low), np.log10(high / (1 - momentum))
    return {
        str(loss): study.simulation.world.compute_best_error(str(loss), paces) for loss in space[KIND].choices or ()
    }


def _judge_sameness(study: Study, errors: Sequence[float]) -> Outcome:
    """Judge whether all errors differ by less than the effect that is named; the effect is a seed deviation else."""
    said = list(study.match_verdicts("What matters", rf"`{re.escape(KIND)}` makes no difference of ([\d.,]+)"))
    effect = float(said[0][1].replace(",", "")) if said else study.simulation.world.seed_noise
    is_true = len(errors) > 1 and max(errors) - min(errors) < effect
    return Outcome(bool(said), is_true, is_true)


def judge_winner(study: Study) -> Outcome:
    """Judge "The winner is clearly better than the baseline": true where its settings are truly better."""
    said = list(study.match_verdicts("Result", "^The winner is clearly better than the baseline"))
    world, config = study.simulation.world, study.simulation.config
    trials = study.tables.trials.set_index("number")
    names = list(config.study.space)
    baseline = world.compute_error(spaces.find_baseline_setting(config) or {})
    if study.tables.winner is None:
        return Outcome(bool(said), False, False)
    winner = world.compute_error(dict(trials.loc[study.tables.winner, names]))
    return Outcome(bool(said), winner < baseline, winner < baseline)


def judge_lasting_value(study: Study) -> Outcome:
    """Judge "The study's best value held up": never true where all settings are equally good."""
    said = [finding for finding in study.findings["Result"] if "held up" in finding.verdict]
    errors = {study.simulation.world.compute_error(trial.outcome.values) for trial in study.simulation.trials}
    return Outcome(bool(said), len(errors) > 1, len(errors) > 1)


def judge_runners_up(study: Study) -> Outcome | None:
    """Judge "The winner is clearly better than its runners-up", and "Runner-up 1 is clearly better than the winner"."""
    winner, rivals = _list_confirmed_errors(study)
    if not rivals:
        return None
    said = [
        *(
            is_worse
            for _ in study.match_verdicts("Result", "^The winner is clearly better than its runner")
            for is_worse in (error > winner for error in rivals.values())
        ),
        *(
            error < winner
            for match in study.match_verdicts("Result", "^(Runner.*) clearly better than the winner")
            for name, error in rivals.items()
            if name in match[1].lower()
        ),
    ]
    return Outcome(bool(said), all(said), any(error != winner for error in rivals.values()))


def _list_confirmed_errors(study: Study) -> tuple[float, dict[str, float]]:
    """Return the true error of the winner, and of each runner-up that is compared with it."""
    runs = study.tables.runs.dropna(subset="trial").drop_duplicates("candidate").set_index("candidate")["trial"]
    errors = _list_errors(study)
    rivals = {comparison.name: errors[runs[comparison.name]] for comparison in study.tables.summary.runners_up}
    return (errors[runs["winner"]] if "winner" in runs else 0.0), rivals


def _list_errors(study: Study) -> dict[int, float]:
    """Return the true error of each trial's setting, by its number."""
    world = study.simulation.world
    return {trial.outcome.number: world.compute_error(trial.outcome.values) for trial in study.simulation.trials}


def judge_harmony(study: Study) -> Outcome | None:
    """Judge "there is no trade-off" and "One trial is within noise of the best in every objective".

    True where one trial's true errors are less than a seed deviation behind the best ones.
    """
    if not study.simulation.config.study.also:
        return None
    said = list(study.match_verdicts("Trade-offs", "there is no trade-off|^One trial is within noise of the best"))
    world = study.simulation.world
    settings = [trial.outcome.values for trial in study.simulation.trials if trial.outcome.scores]
    errors = np.array([[world.compute_error(setting, metric) for metric in ("mae", "rmse")] for setting in settings])
    is_true = bool((errors - errors.min(0)).max(1).min() < world.seed_noise)
    return Outcome(bool(said), is_true, is_true)


CLAIMS: Mapping[str, Judge] = {
    "A is better than B": judge_better_value,
    "no difference between best trials": judge_equal_trials,
    "the same of values at their best": judge_equal_values,
    "the winner is better than the baseline": judge_winner,
    "the best value held up": judge_lasting_value,
    "a runner-up is worse, or better": judge_runners_up,
    "objectives hardly conflict": judge_harmony,
}


def list_intervals(study: Study) -> dict[str, bool]:
    """Return for each interval of the summary whether it holds the truth."""
    world, config = study.simulation.world, study.simulation.config
    settings = _list_errors(study)
    baseline = world.compute_error(spaces.find_baseline_setting(config) or {})
    confirmed, holds = study.tables.summary.confirm, {}
    if confirmed is not None and study.tables.winner is not None:
        winner = settings[study.tables.winner]
        holds["the winner's value"] = confirmed.winner.low <= winner <= confirmed.winner.high
        difference = confirmed.decisive_difference
        holds["winner - baseline"] = difference.low <= winner - baseline <= difference.high
    for question in study.tables.summary.questions:
        if question.trial is None or not question.others:
            continue
        leader = settings[question.trial]
        holds["all values - the leading one"] = all(
            other.difference.low <= settings[other.trial] - leader <= other.difference.high for other in question.others
        )
    return holds
