"""Pruned trials stop early; audited trials go on."""

from pathlib import Path

from tests.helpers.study_runs import PRUNING, list_reached_values
from thalweg.config.experiment import Config
from thalweg.core.types import DataSpec
from thalweg.search import study, trials
from thalweg.search.run import build_trials_table
from thalweg.training.plan import TrainingData


def test_pruned_stop_and_audited_go_on(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path
) -> None:
    pruning = config.replace_values({"study.sampler": "tpe", **PRUNING})
    plain = config.replace_values({"study.sampler": "tpe", **PRUNING, "study.prune": None})
    results = study.run_trials(pruning, data_spec, training_data, tmp_path / "pruned", []).trials
    full = study.run_trials(plain, data_spec, training_data, tmp_path / "full", []).trials
    for cohort in range(3):
        of_cohort = results[cohort * 4 : cohort * 4 + 4]
        assert sorted(trial.pruned_at or 4 for trial in of_cohort) == [1, 1, 2, 4]
        if cohort == 0:  # the same trials as without pruning: what survived is the same to the bit
            for trial, other in zip(of_cohort, full, strict=False):
                at = trial.pruned_at or 4
                assert trial.outcome.scores[0] == min(list_reached_values(other.lanes[0].result.curves["mae"][:at]))
                assert trial.audit is None or trial.audit == other.outcome.value
    pruned = [trial for trial in results if trial.state == "pruned"]
    assert len(pruned) == 9
    audited = [trial for trial in pruned if trial.audit is not None]
    assert 0 < len(audited) < 9
    assert all(trial.epochs == 4 for trial in audited)
    assert all(trial.epochs == trial.pruned_at for trial in pruned if trial.audit is None)
    assert all(trial.audit is None for trial in results if trial.state == "complete")
    assert {trial.outcome.number for trial in trials.rank_trials(pruning, results)} == {
        trial.outcome.number for trial in results if trial.state == "complete"
    }
    table = build_trials_table(pruning, results).set_index("number")
    assert table["pruned_at"].dropna().tolist() == [trial.pruned_at for trial in pruned]
    assert table["audit"].dropna().tolist() == [trial.audit for trial in audited]


def test_audit_is_hidden_from_sampler(
    config: Config, data_spec: DataSpec, training_data: TrainingData, tmp_path: Path
) -> None:
    """With all audited or none, the sampler proposes the same."""
    studies = []
    for share in (0.0, 1.0):
        prune = {"first": 1, "eta": 2, "audit": share}
        audited = config.replace_values({"study.sampler": "tpe", **PRUNING, "study.trials": 24, "study.prune": prune})
        studies.append(study.run_trials(audited, data_spec, training_data, tmp_path / str(share), []).trials)
    assert [trial.outcome for trial in studies[0]] == [trial.outcome for trial in studies[1]]
    assert sum(trial.epochs_spent for trial in studies[0]) < sum(trial.epochs_spent for trial in studies[1])


def test_brackets_follow_params(config: Config) -> None:
    pruned = config.replace_values(
        {**PRUNING, "training.epochs": 16, "study.prune": {"first": 2, "eta": 2, "brackets": 2}}
    )
    assert study.build_rules(pruned).brackets == ((2, 4, 8, 16), (4, 8, 16))
    restarts = pruned.replace_values({"schedule": {"kind": "restarts", "period": 3.0, "warmup": 1.0}})
    assert study.build_rules(restarts).brackets == ((4, 7, 16), (7, 16))
    searched = restarts.replace_values({"study.space": {"schedule.period": {"low": 2.0, "high": 5.0}}})
    assert study.build_rules(searched).brackets == ((2, 4, 8, 16), (4, 8, 16))
    lengths = pruned.replace_values({"study.space": {"training.epochs": {"choices": [8, 32]}}})
    assert study.build_rules(lengths).brackets[0] == (2, 4, 8, 16, 32)
    assert study.build_rules(config).brackets == ((3,),)
