"""Trials that failed: how many, and where in the space."""

from dataclasses import replace

import numpy as np
import pandas as pd

from thalweg.reporting.advice import search_space
from thalweg.reporting.sections import (
    health,
)
from thalweg.reporting.tables import StudyTables


def alone_diverged(trials: pd.DataFrame) -> pd.DataFrame:
    return trials.assign(state=np.where(trials["number"] == 6, "diverged", "complete"))


def test_divergence_names_separating_parameter(counting_study: StudyTables) -> None:
    wild = counting_study.trials["number"] % 6 == 0
    apart = counting_study.trials.assign(state=np.where(wild, "diverged", "complete"))
    apart["optimizer.learning_rate"] = np.where(wild, 0.5, 0.01)
    evidence = health.build_findings(replace(counting_study, trials=apart))[0].evidence
    assert "They lie where `optimizer.learning_rate` is high: above" in evidence
    for parameter in ("learning_rate", "momentum", "clip"):
        apart[f"optimizer.{parameter}"] = (apart["number"] % 5 + 1) / 10
    unexplained = health.build_findings(replace(counting_study, trials=apart))[0]
    assert "No searched setting clearly explains which." in unexplained.evidence
    save = "set `optimizer.clip` or lengthen `schedule.warmup`."
    # nothing matters here, so no next space sets the ranges
    assert unexplained.next_step == f"To save trials that diverged, search lower learning rates, {save}"
    few = replace(counting_study, trials=alone_diverged(apart).head(8))
    assert search_space.advise_search(few) == ""
    assert (
        health.build_findings(few)[0].next_step == f"To save trials that diverged, search lower learning rates, {save}"
    )
    fixed = [parameter for parameter in counting_study.space if parameter.name != "optimizer.learning_rate"]
    (step,) = {
        finding.next_step
        for finding in health.build_findings(replace(counting_study, trials=apart, space=fixed))
        if "diverged" in finding.verdict
    }
    assert step == f"To save trials that diverged, lower `optimizer.learning_rate`, {save}"
    evidence = health.build_findings(replace(counting_study, trials=alone_diverged(apart)))[0].evidence
    assert "One trial is too few to say where in the space trials fail. `optimizer.learning_rate` was 0.2." in evidence


def test_constant_networks_name_common_cause(counting_study: StudyTables) -> None:
    stuck = counting_study.trials["number"] % 6 == 0
    trials = counting_study.trials.assign(state="complete", value=1.0 + counting_study.trials["number"] / 100)
    trials["value"] = trials["value"].where(~stuck, 5.258373)
    trials.loc[12, "value"] = 5.258368
    trials["optimizer.learning_rate"] = np.where(stuck, 0.5, 0.01)
    flat = counting_study.curves["trial"].map(trials["value"].where(stuck).where(trials.index != 12, 5.258368))
    curves = counting_study.curves.assign(mae=flat.fillna(counting_study.curves["mae"]))
    first, second, winner = health.build_findings(replace(counting_study, trials=trials, curves=curves))
    assert winner.verdict.startswith("The winner learns: ")
    assert first.verdict == "8 trials learned nothing."
    assert first.trials == (0, 6, 12, 18, 24, 30, 36, 42)
    assert "They lie where `optimizer.learning_rate` is high: above" in first.evidence
    assert second.verdict == "No trial diverged."
    # ends that are alike by chance, as where examples are counted, are no such networks
    assert health.build_findings(replace(counting_study, trials=trials))[0].verdict == "No trial diverged."
    apart = trials.assign(value=1.0 + trials["number"] / 100)
    assert health.build_findings(replace(counting_study, trials=apart))[0].verdict == "No trial diverged."
