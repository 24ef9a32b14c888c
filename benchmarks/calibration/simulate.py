"""Simulate a study in a world: the product's own sampler, rungs, ranking and comparison, without networks."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from ruamel.yaml import YAML

from benchmarks.calibration.worlds import KIND, LOSSES, MOMENTUM, RATE, World
from thalweg.artifacts.learning_curves import build_curves_table
from thalweg.artifacts.summary import Confirmation, Question, RankedTrial, StudySummary, Summary
from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.confirm import candidates, compare, questions
from thalweg.confirm.candidates import Candidate
from thalweg.core import rng
from thalweg.engine.results import LaneResult, TrainedLane
from thalweg.reporting.load import list_searched_parameters
from thalweg.reporting.tables import StudyTables
from thalweg.search import cohorts
from thalweg.search.balance import build_sampler
from thalweg.search.run import build_trials_table
from thalweg.search.study import build_rules
from thalweg.search.trials import Trial, TrialScorer, build_scorer, rank_trials
from thalweg.stats.verdicts import build_verdict_table

Floats = NDArray[np.float64]

PARAMS = Path(__file__).parents[2] / "presets" / "scenes.yaml"
METRICS = ("mae", "rmse", "bias", "exact")


@dataclass(frozen=True)
class Design:
    """What a study does: the changes of the default's params.yaml, and whether it has a test set."""

    changes: Mapping[str, Any]
    has_test: bool = True


def build_config(seed: int, changes: Mapping[str, Any]) -> Config:
    """Return the default with the losses, rates and momenta of a world to search, and `changes`."""
    config = Config.model_validate(YAML(typ="safe").load(PARAMS))
    space = {
        KIND: {"choices": list(LOSSES), "role": "scientific"},
        RATE: {"low": 1e-4, "high": 1.0, "log": True},
        MOMENTUM: {"low": 0.0, "high": 0.95},
    }
    values = {"seed": seed, "study.space": space, RATE: 0.003, MOMENTUM: 0.5, "training.epochs": 16}
    return config.replace_values(values | dict(changes))


class Simulation:
    """One study of a world. Each setting has its own lean on each group of examples, which fresh seeds keep."""

    def __init__(self, world: World, config: Config, *, has_test: bool = True) -> None:
        self.world, self.config, self.has_test = world, config, has_test
        self.draw = np.random.default_rng(rng.derive_seed(config.seed, "world"))
        self.leans: dict[tuple[str, str], Floats] = {}
        self.scorer: TrialScorer = build_scorer(config, np.ones(1))
        self.trials: list[Trial] = []

    def find_lean(self, split: str, setting: Setting) -> Floats:
        """Return what a setting's error on each group [groups] of a set differs from its true error."""
        key = split, repr(sorted(setting.items()))
        if key not in self.leans:
            self.leans[key] = self.world.lean * self.draw.standard_normal(self.world.groups)
        return self.leans[key]

    def run(self) -> StudyTables:
        """Run study and confirm; return what the report reads."""
        self.search()
        return self.build_tables(*self.confirm())

    def search(self) -> None:
        """Propose, train and judge all trials."""
        rules, sampler, state = build_rules(self.config), build_sampler(self.config), cohorts.SearchState()
        while cohorts.can_begin_cohort(rules, state):
            first = state.begun_count * rules.cohort_size
            proposals = dict(enumerate(sampler.ask(first, rules.cohort_size), first))
            lanes = {number: (TrainedLane(0, 0, self.train(values)),) for number, values in proposals.items()}
            state = cohorts.begin_cohort(rules, state)
            while (cohort := state.open_cohorts[-1]).rungs:
                rung = cohort.rungs[0]
                scores = {trial: self.scorer.score_rung(lanes[trial], rung) for trial in cohort.alive}
                earlier = cohorts.find_earlier_scores(rules, state, cohort)
                after = cohorts.judge_cohort(rules, cohort, scores, earlier)
                state = cohorts.replace_cohort(cohorts.record_scores(state, rung, scores), after)
            for number, values in proposals.items():
                stopped = cohort.stopped.get(number)
                result = lanes[number][0].result
                is_audited = number in cohort.audited
                kept = result if stopped is None or is_audited else result.truncate(stopped)
                trained = (TrainedLane(0, 0, kept),)
                self.trials.append(self.scorer.build_trial(number, values, trained, stopped))
            state = cohorts.close_oldest_cohort(state)
            sampler.tell([trial.outcome for trial in self.trials[-rules.cohort_size :]])

    def train(self, setting: Setting) -> LaneResult:
        """Return the curves of a setting with the study's seed."""
        world, epochs = self.world, self.config.training.epochs
        if world.has_diverged(setting):
            return LaneResult(self._build_curves(np.full(epochs, np.nan), setting), 1, 20, True)
        noise = float(world.draw_seed_noise(self.draw, ()))
        final = world.compute_error(setting) + noise + float(self.find_lean("validation", setting).mean())
        share = np.arange(1, epochs + 1) / epochs
        curve = final + (world.start - final) * np.exp(-6 * share) + world.swing * self.draw.standard_normal(epochs)
        return LaneResult(self._build_curves(curve, setting), epochs, None, True)

    def _build_curves(self, metric: Floats, setting: Setting) -> dict[str, list[float | None]]:
        share = np.arange(len(metric)) / len(metric)
        rate = setting[RATE] * 0.5 * (1 + np.cos(np.pi * share))
        curves = {"mae": metric, "rmse": 1.3 * metric, "bias": 0 * metric, "exact": 1 / (1 + metric)}
        curves |= {"train_loss": 0.8 * metric**2, "val_loss": metric**2, "train_spread": 0.1 * metric**2}
        curves["first_loss"] = np.append(0.8 * self.world.start**2, 0.8 * metric[:-1] ** 2)
        return {
            name: [float(value) if np.isfinite(value) else None for value in curve]
            for name, curve in (curves | {"learning_rate": rate}).items()
        }

    def confirm(self) -> tuple[list[Candidate], Candidate, Confirmation, tuple[Question, ...]]:
        """Retrain the best trials and the baseline; return them, the winner first, and their comparisons."""
        everything = rank_trials(self.config, self.trials)
        outcomes = [trial.outcome for trial in everything]
        ranked_trials = [RankedTrial(o.number, o.values, o.scores[0]) for o in outcomes]
        asked = {trial.number for trial in questions.select_question_trials(self.config, ranked_trials)}
        count = 1 + self.config.confirm.runners_up
        best = [*everything[:count], *(t for t in everything[count:] if t.outcome.number in asked)]
        baseline_setting = spaces.find_baseline_setting(self.config)
        assert baseline_setting is not None
        baseline, baseline_left_out = self.retrain(None, baseline_setting)
        pairs = [self.retrain(trial.outcome.number, trial.outcome.values) for trial in best]
        left_out = {candidate.trial: values for candidate, values in pairs}
        ranked = candidates.rank_candidates(self.config, [candidate for candidate, _ in pairs]) or [baseline]
        metrics = [*(left_out.get(candidate.trial, baseline_left_out) for candidate in ranked), baseline_left_out]
        sizes = np.full(self.world.groups, 20, np.intp)
        confirmation = compare.build_confirmation(self.config, ranked, baseline, metrics, sizes, self.world.groups)
        answered = questions.compare_levels(self.config, ranked, metrics, sizes, self.world.groups)
        return ranked, baseline, confirmation, answered

    def retrain(self, trial: int | None, setting: Setting) -> tuple[Candidate, Floats]:
        """Return a candidate on fresh seeds, and its error without each group of judged examples [seeds, groups]."""
        world, seeds = self.world, self.config.confirm.seeds
        true = world.compute_error(setting) + world.draw_seed_noise(self.draw, (seeds, 1))
        if world.has_diverged(setting):
            true = np.full((seeds, 1), np.nan)
        cells = {
            split: true + self.find_lean(split, setting) + world.cell * self.draw.standard_normal((seeds, world.groups))
            for split in ("validation", "test")
        }
        judged = cells["test" if self.has_test else "validation"]
        scores, validation = judged.mean(1), cells["validation"].mean(1)
        left_out = (judged.sum(1, keepdims=True) - judged) / (world.groups - 1)
        candidate = Candidate(
            trial,
            setting,
            None,  # type: ignore[arg-type]
            (),
            np.zeros(0),
            dict.fromkeys(METRICS, scores),
            dict.fromkeys(METRICS, validation),
        )
        return candidate, left_out

    def build_tables(
        self,
        ranked: list[Candidate],
        baseline: Candidate,
        confirmation: Confirmation,
        answered: tuple[Question, ...],
    ) -> StudyTables:
        """Return the tables that the stages would have written."""
        config, trials = self.config, build_trials_table(self.config, self.trials).drop(columns="same_as")
        lanes = [(trial.outcome.number, *lane) for trial in self.trials for lane in trial.lanes]
        curves = build_curves_table(config, lanes)
        states = Counter(trial.state for trial in self.trials)
        summary = StudySummary(
            trials=len(trials),
            cohorts=len(trials) // config.study.cohort,
            complete=states["complete"],
            pruned=states["pruned"],
            diverged=states["diverged"],
            best=None,
            epochs=int(trials["epochs"].sum()),
        )
        steps = {trial.outcome.number: 20 for trial in self.trials if trial.state == "diverged"}
        objective = config.study.objective
        return StudyTables(
            params=config.model_dump(mode="json"),
            trials=trials,
            curves=curves,
            summary=Summary(summary, confirmation, {}, answered),
            runs=self._build_runs(ranked, baseline),
            predictions=pd.DataFrame(),
            pictures=[],
            baseline_curves=curves[curves["trial"] == 0].drop(columns="trial"),
            verdicts=build_verdict_table(objective, "min", curves, steps),
            manifest={"source": "scenes", "examples": {"train": 1200, "validation": 240, "test": 240}, "excluded": []},
            provenance={},
            space=list_searched_parameters(config),
            output_kind="number",
            objective=objective,
            direction="min",
            metric_directions=dict(config.task.METRIC_DIRECTIONS),
            bounds={name: config.task.metric_bounds(name) for name in config.task.METRIC_DIRECTIONS},
        )

    def _build_runs(self, ranked: list[Candidate], baseline: Candidate) -> pd.DataFrame:
        names = ["baseline", "winner", *(f"runner-up {i}" for i in range(1, len(ranked)))]
        parts = []
        for name, candidate in zip(names, [baseline, *ranked], strict=True):
            table = pd.DataFrame(
                {"candidate": name, "trial": candidate.trial, "seed": range(self.config.confirm.seeds)}
            )
            table["best_epoch"] = float(self.config.training.epochs)
            for metric, values in candidate.validation_scores.items():
                table[f"validation_{metric}"] = values
            for metric, values in candidate.scores.items() if self.has_test else ():
                table[f"test_{metric}"] = values
            parts.append(table.astype({"trial": "Int64"}))
        return pd.concat(parts, ignore_index=True)
