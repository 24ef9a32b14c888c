"""The fingerprint: what a result depends on, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.paths import ROOT
from thalweg.artifacts import fingerprint as provenance
from thalweg.artifacts.fingerprint import study_fingerprint
from thalweg.config.load import load_config
from thalweg.core.network import import_model_class

CONFIG = load_config(ROOT / "params.yaml")
FIRST = """
from pathlib import Path
from thalweg.config.load import load_config
from thalweg.artifacts.fingerprint import study_fingerprint
from thalweg.search.samplers import OptunaSampler
config = load_config(Path("params.yaml"))
print(study_fingerprint(config, "data"), OptunaSampler(config).ask(0, 3))
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
    assert study_fingerprint(CONFIG.replace_values(values), "data") == study_fingerprint(CONFIG, "data")


def test_fingerprint_ignores_roles() -> None:
    space = CONFIG.model_dump()["study"]["space"]
    other = {
        name: one | {"role": "nuisance" if one["role"] == "scientific" else "scientific"} for name, one in space.items()
    }
    changed = CONFIG.replace_values({"study.space": other})
    assert changed != CONFIG
    assert study_fingerprint(changed, "data") == study_fingerprint(CONFIG, "data")


@pytest.mark.parametrize(
    "values",
    [
        {"seed": 1},
        {"optimizer.learning_rate": 0.02},
        {"study.cohort": 8},
        {"study.space": {"optimizer.momentum": {"low": 0.0, "high": 0.5}}},
        {"model.width": 13},
    ],
)
def test_trial_values_change_fingerprint(values: dict[str, Any]) -> None:
    assert study_fingerprint(CONFIG.replace_values(values), "data") != study_fingerprint(CONFIG, "data")


def test_user_model_file_changes_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "from thalweg.models.linear import Model as Base\nclass Mine(Base):\n    def __call__(self, x):\n"
    text = f"{head}        return super().__call__(x)"
    (tmp_path / "mine_own.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    config = CONFIG.replace_values({"model": {"kind": "mine_own.Mine"}})
    before = study_fingerprint(config, "data")
    (tmp_path / "mine_own.py").write_text(text + " + 1\n")
    assert study_fingerprint(config, "data") != before


def test_models_of_one_file_name_are_all_covered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    text = (
        "from {}.parts import WIDE\nfrom thalweg.models.linear import Model as M\n\nclass Mine(M):\n    wide = WIDE\n"
    )
    for package in ("first_of_two", "second_of_two"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "net.py").write_text(text.format(package))
        (tmp_path / package / "parts.py").write_text("WIDE = object\n\n\ndef helper():\n    pass\n")
    kinds = [f"{package}.net.Mine" for package in ("first_of_two", "second_of_two")]
    assert import_model_class(kinds[0]) is not import_model_class(kinds[1])
    searched = CONFIG.replace_values({"model": {"kind": kinds[0]}, "study.space": {"model.kind": {"choices": kinds}}})
    before = provenance.code_digest(searched)
    assert provenance.code_digest(searched) == before
    for package in ("first_of_two", "second_of_two"):
        file = tmp_path / package / "net.py"
        file.write_text(file.read_text() + "CHANGED = 1\n")
        after = provenance.code_digest(searched)
        assert after != before
        before = after


def test_user_model_imports_change_code_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_parts.py").write_text("def helper(x):\n    return x\n")
    (tmp_path / "own_net.py").write_text(
        "from own_parts import helper\nfrom thalweg.models import linear\n\n\n"
        "class Mine(linear.Model):\n    helper = helper\n"
    )
    config = CONFIG.replace_values({"model": {"kind": "own_net.Mine"}})
    before = provenance.code_digest(config)
    (tmp_path / "own_parts.py").write_text("def helper(x):\n    return 2 * x\n")
    assert provenance.code_digest(config) != before


SOURCE = '''"""A module."""

LIMIT = 3
"""Of something."""


def double(x):
    """Say what it does."""
    return 2 * x  # why
'''


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("A module", "Another", True),
        ("Of something", "Of much", True),
        ("Say what it does", "Say more", True),
        ("  # why", "", True),
        ("2 * x", "(2 * x)", True),
        ("2 * x", "3 * x", False),
        ("LIMIT = 3", "LIMIT = 4", False),
        ("return 2 * x", "return '2 * x'", False),
    ],
)
def test_code_digest_ignores_comments(tmp_path: Path, old: str, new: str, same: bool) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    (tmp_path / "b.py").write_text(SOURCE.replace(old, new))
    first, second = (provenance.sources_digest({"module": tmp_path / name}) for name in ("a.py", "b.py"))
    assert (first == second) is same


def test_baseline_depends_on_no_study_but_objective() -> None:
    baseline = provenance.baseline_fingerprint(CONFIG, "data")
    searched = CONFIG.replace_values(
        {"study.trials": 96, "study.space": {"optimizer.momentum": {"low": 0.1, "high": 0.2}}}
    )
    assert provenance.baseline_fingerprint(searched, "data") == baseline
    assert provenance.baseline_fingerprint(CONFIG.replace_values({"study.objective": "rmse"}), "data") != baseline
    assert study_fingerprint(CONFIG, "data") != baseline


def test_other_data_changes_fingerprint() -> None:
    assert study_fingerprint(CONFIG, "data") != study_fingerprint(CONFIG, "other")


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
