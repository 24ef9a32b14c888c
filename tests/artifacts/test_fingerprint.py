"""The fingerprint: what a result depends on, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.paths import ROOT
from thalweg.artifacts.fingerprint import baseline_fingerprint, study_fingerprint
from thalweg.config.load import load_config
from thalweg.search import study
from thalweg.system.runtime import BLAS_THREADS
from thalweg.training import baseline

CONFIG = load_config(ROOT / "params.yaml")
FIRST = """
from pathlib import Path
from thalweg.config.load import load_config
from thalweg.artifacts.fingerprint import study_fingerprint
from thalweg.search import study
from thalweg.search.samplers import OptunaSampler
config = load_config(Path("params.yaml"))
print(study_fingerprint(config, "data", study), OptunaSampler(config).ask(0, 3))
"""


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"study.name": "other"}, marks=pytest.mark.slow),
        {"study.trials": 96},
        {"data.path": "elsewhere"},
        {"report.title": "other"},
        {"confirm.seeds": 3},
    ],
)
def test_same_trials_same_fingerprint(values: dict[str, Any]) -> None:
    assert study_fingerprint(CONFIG.replace_values(values), "data", study) == study_fingerprint(CONFIG, "data", study)


@pytest.mark.parametrize(
    "values",
    [
        {"seed": 1},
        {"optimizer.learning_rate": 0.02},
        {"study.cohort": 8},
        {"study.space": {"optimizer.momentum": {"low": 0.0, "high": 0.5}}},
        {"study.space": {"optimizer.momentum": {"low": 0.0, "high": 0.5, "role": "scientific"}}},
        {"model.width": 13},
    ],
)
def test_trial_values_change_fingerprint(values: dict[str, Any]) -> None:
    assert study_fingerprint(CONFIG.replace_values(values), "data", study) != study_fingerprint(CONFIG, "data", study)


def test_user_model_file_changes_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "from thalweg.models.linear import Model as Base\nclass Mine(Base):\n    def __call__(self, x):\n"
    text = f"{head}        return super().__call__(x)"
    (tmp_path / "mine_own.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    config = CONFIG.replace_values({"model": {"kind": "mine_own.Mine"}})
    before = study_fingerprint(config, "data", study)
    (tmp_path / "mine_own.py").write_text(text + " + 1\n")
    assert study_fingerprint(config, "data", study) != before


def test_upgrade_of_own_library_changes_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = tmp_path / "site-packages" / "upgraded_nets-1.0.dist-info" / "METADATA"
    facts.parent.mkdir(parents=True)
    (tmp_path / "site-packages" / "upgraded_nets.py").write_text("from thalweg.models.linear import Model")
    monkeypatch.setattr("sys.path", [*sys.path, str(tmp_path / "site-packages")])
    config, fingerprints = CONFIG.replace_values({"model": {"kind": "upgraded_nets.Model"}}), set()
    for version in ("1.0", "1.1"):
        facts.write_text(f"Name: upgraded-nets\nVersion: {version}\n")
        fingerprints.add(study_fingerprint(config, "data", study))
    assert len(fingerprints) == 2


def test_baseline_depends_on_no_study_but_objective() -> None:
    before = baseline_fingerprint(CONFIG, "data", baseline)
    searched = CONFIG.replace_values(
        {"study.trials": 96, "study.space": {"optimizer.momentum": {"low": 0.1, "high": 0.2}}}
    )
    assert baseline_fingerprint(searched, "data", baseline) == before
    assert baseline_fingerprint(CONFIG.replace_values({"study.objective": "rmse"}), "data", baseline) != before
    assert study_fingerprint(CONFIG, "data", study) != before


@pytest.mark.parametrize("name", ["NPROC", "JAX_ENABLE_X64", *BLAS_THREADS])
def test_environment_changes_fingerprint(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = study_fingerprint(CONFIG, "data", study)
    monkeypatch.setenv(name, "3")
    assert study_fingerprint(CONFIG, "data", study) != before


def test_other_data_changes_fingerprint() -> None:
    assert study_fingerprint(CONFIG, "data", study) != study_fingerprint(CONFIG, "other", study)


@pytest.mark.slow
def test_order_of_keys_hash_and_cores_do_not_matter(tmp_path: Path) -> None:
    from ruamel.yaml import YAML

    def backwards(tree: Any) -> Any:
        return {k: backwards(v) for k, v in reversed(tree.items())} if isinstance(tree, dict) else tree

    yaml = YAML(typ="safe")
    yaml.dump(backwards(yaml.load(ROOT / "params.yaml")), tmp_path / "params.yaml")
    outputs = []
    for folder, seed, devices in ((ROOT, "0", "1"), (tmp_path, "1", "2")):
        environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
        environment |= {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        environment["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
        outputs.append(
            subprocess.run(
                [sys.executable, "-c", FIRST], cwd=folder, env=environment, capture_output=True, text=True, check=True
            ).stdout
        )
    assert outputs[0] == outputs[1]
