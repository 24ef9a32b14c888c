"""Advice on the number of trials: what each value of a parameter then gets."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.helpers.five_parameters import DELTA, KIND, draw_trials
from thalweg.reporting.advice.more_trials import advise_level_trials
from thalweg.reporting.tables import StudyTables


def test_level_trials_by_hand(build_study: Callable[..., StudyTables]) -> None:
    tables = build_study(draw_trials(36).assign(kind="l1"), np.ones(36), params={"study": {"sampler": "tpe"}})
    step = advise_level_trials(tables, KIND, 20)
    assert step == "Set `study.trials: 60`: each value of `kind` then gets 20 trials or more."


def test_conditional_parameter_gets_its_share(build_study: Callable[..., StudyTables]) -> None:
    """A quarter of the trials use it, so three thirds with 20 trials each take 240."""
    trials = draw_trials(36).assign(delta=np.where(np.arange(36) % 4 == 0, 1.0, np.nan))
    tables = build_study(trials, np.ones(36), params={"study": {"sampler": "tpe"}})
    step = advise_level_trials(tables, replace(DELTA, role="scientific"), 20)
    assert step == "Set `study.trials: 240`: each value of `delta` then gets about 20 trials."
