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
from thalweg.artifacts.summary import Comparison, Confirmation, Question, RankedTrial, StudySummary, Summary
from thalweg.config import spaces
from thalweg.config.experiment import Config
from thalweg.config.spaces import Setting
from thalweg.confirm import candidates, compare, questions
from thalweg.confirm.candidates import Candidate
from thalweg.confirm.selection import select_trials
from thalweg.core import rng
from thalweg.engine.results import LaneResult, TrainedLane, TrainedLanes
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
class Confirmed:
    """The candidates on fresh seeds, the winner first, and their comparisons."""

    ranked: list[Candidate]
    baseline: Candidate
    confirmation: Confirmation
    questions: tuple[Question, ...]
    runners_up: tuple[Comparison, ...]


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
    """One study of a world. Each setting has its own lean on each group of examples, which fresh seeds keep.

    Objectives other than the first, `rmse`, differ from it by what their true errors do, and by noise of their own.
    """

    def __init__(self, world: World, config: Config, *, has_test: bool = True) -> None:
        self.world, self.config, self.has_test = world, config, has_test
        self.draw = np.random.default_rng(rng.derive_seed(config.seed, "world"))
        self.sizes = np.maximum(1, 20 * np.exp(world.unequal * self.draw.standard_normal(world.groups))).astype(np.intp)
        self.leans: dict[tuple[str, str], Floats] = {}
        self.folds = config.data.split.folds if config.data.split.by == "folds" else 1
        self.scorer: TrialScorer = build_scorer(config, np.ones(self.folds))
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
        return self.build_tables(self.confirm())

    def search(self) -> None:
        """Propose, train and judge all trials."""
        rules, sampler, state = build_rules(self.config), build_sampler(self.config), cohorts.SearchState()
        while cohorts.can_begin_cohort(rules, state):
            first = state.begun_count * rules.cohort_size
            proposals = dict(enumerate(sampler.ask(first, rules.cohort_size), first))
            lanes = {number: self.train(values) for number, values in proposals.items()}
            state = cohorts.begin_cohort(rules, state)
            while (cohort := state.open_cohorts[-1]).rungs:
                rung = cohort.rungs[0]
                scores = {trial: self.scorer.score_rung(lanes[trial], rung) for trial in cohort.alive}
                earlier = cohorts.find_earlier_scores(rules, state, cohort)
                after = cohorts.judge_cohort(rules, cohort, scores, earlier)
                state = cohorts.replace_cohort(cohorts.record_scores(state, rung, scores), after)
            for number, values in proposals.items():
                stopped = cohort.stopped.get(number)
                trained = lanes[number]
                if stopped is not None and number not in cohort.audited:
                    trained = tuple(lane._replace(result=lane.result.truncate(stopped)) for lane in trained)
                self.trials.append(self.scorer.build_trial(number, values, trained, stopped))
            state = cohorts.close_oldest_cohort(state)
            sampler.tell([trial.outcome for trial in self.trials[-rules.cohort_size :]])

    def train(self, setting: Setting) -> TrainedLanes:
        """Return the lanes of a setting, one a fold, with the study's seed."""
        leans = np.array_split(self.find_lean("validation", setting), self.folds)
        return tuple(
            TrainedLane(0, fold, self._train_lane(setting, float(lean.mean()))) for fold, lean in enumerate(leans)
        )

    def _train_lane(self, setting: Setting, lean: float) -> LaneResult:
        world, epochs = self.world, self.config.training.epochs
        if world.has_diverged(setting):
            return LaneResult(self._build_curves(np.full(epochs, np.nan), setting), 1, 20, True)
        final = world.compute_error(setting) + float(world.draw_seed_noise(self.draw, ())) + lean
        share = np.arange(1, epochs + 1) / epochs
        curve = final + (world.start - final) * np.exp(-6 * share) + world.swing * self.draw.standard_normal(epochs)
        return LaneResult(self._build_curves(curve, setting), epochs, None, True)

    def _build_curves(self, metric: Floats, setting: Setting) -> dict[str, list[float | None]]:
        share = np.arange(len(metric)) / len(metric)
        rate, train = setting[RATE] * 0.5 * (1 + np.cos(np.pi * share)), 0.8 * metric**2
        second = metric + self._draw_apart(setting)
        curves = {"mae": metric, "rmse": second, "bias": 0 * metric, "exact": 1 / (1 + metric)}
        curves |= {"train_loss": train, "val_loss": metric**2, "train_spread": 0.1 * metric**2}
        curves |= {"first_loss": np.append(0.8 * self.world.start**2, train[:-1])}
        return {
            name: [float(value) if np.isfinite(value) else None for value in curve]
            for name, curve in (curves | {"learning_rate": rate}).items()
        }

    def _draw_apart(self, setting: Setting, shape: tuple[int, ...] = ()) -> Floats:
        """Draw how much larger the second objective is than the first."""
        true = self.world.compute_error(setting, "rmse") - self.world.compute_error(setting)
        return np.asarray(true + 0.3 * self.world.seed_noise * self.draw.standard_normal(shape))

    def confirm(self) -> Confirmed:
        """Retrain the best trials and the baseline, and compare them."""
        outcomes = [trial.outcome for trial in rank_trials(self.config, self.trials)]
        chosen = select_trials(self.config, [RankedTrial(o.number, o.values, o.scores[0]) for o in outcomes])
        baseline_setting = spaces.find_baseline_setting(self.config)
        assert baseline_setting is not None
        baseline, baseline_left_out = self.retrain(None, baseline_setting)
        pairs = [self.retrain(trial.number, trial.params) for trial in chosen]
        left_out = {candidate.trial: values for candidate, values in pairs}
        ranked = candidates.rank_candidates(self.config, [candidate for candidate, _ in pairs]) or [baseline]
        metrics = [*(left_out.get(candidate.trial, baseline_left_out) for candidate in ranked), baseline_left_out]
        groups = self.sizes, self.world.groups
        confirmation = compare.build_confirmation(self.config, ranked, baseline, metrics, *groups)
        answered = questions.compare_levels(self.config, ranked, metrics, *groups)
        rivals = compare.compare_runners_up(self.config, ranked, metrics, *groups)
        return Confirmed(ranked, baseline, confirmation, answered, rivals)

    def retrain(self, trial: int | None, setting: Setting) -> tuple[Candidate, Floats]:
        """Return a candidate on fresh seeds, and its error without each group of judged examples [seeds, groups]."""
        world, seeds = self.world, self.config.confirm.seeds
        noise = world.draw_seed_noise(self.draw, (seeds, self.folds)).mean(1, keepdims=True)
        true = world.compute_error(setting) + noise
        if world.has_diverged(setting):
            true = np.full((seeds, 1), np.nan)
        cells = {
            split: true + self.find_lean(split, setting) + world.cell * self.draw.standard_normal((seeds, world.groups))
            for split in ("validation", "test")
        }
        judged = cells["test" if self.has_test else "validation"]
        weights = self.sizes / self.sizes.sum()
        scores, validation = judged @ weights, cells["validation"] @ weights
        left_out = (scores[:, None] - weights * judged) / (1 - weights)
        by_metric = [
            dict.fromkeys(METRICS, values) | {"rmse": values + self._draw_apart(setting, (seeds,))}
            for values in (scores, validation)
        ]
        candidate = Candidate(trial, setting, None, (), np.zeros(0), *by_metric)  # type: ignore[arg-type]
        return candidate, left_out

    def build_tables(self, confirmed: Confirmed) -> StudyTables:
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
            summary=Summary(summary, confirmed.confirmation, {}, confirmed.questions, runners_up=confirmed.runners_up),
            runs=self._build_runs(confirmed.ranked, confirmed.baseline),
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
            metric_directions=config.task.metric_directions,
            bounds={name: config.task.metric_bounds(name) for name in config.task.metric_directions},
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
