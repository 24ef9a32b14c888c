"""What makes two runs the same."""

import pytest

from thalweg.duel.side import build_side
from thalweg.system.files import UserError


def test_key_follows_code_command_and_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIDTH", "8")
    monkeypatch.setenv("OTHER", "1")
    first = build_side("A", "python train.py --width $WIDTH", "tree", [])
    assert first.environment == {"WIDTH": "8"}
    assert build_side("B", "python train.py --width $WIDTH", "tree", []).key == first.key
    keys = {first.key, build_side("A", "python train.py", "tree", []).key}
    keys |= {build_side("A", "python train.py --width ${WIDTH}", "other tree", []).key}
    keys |= {build_side("A", "python train.py", "tree", ["OTHER"]).key}
    monkeypatch.setenv("WIDTH", "16")
    keys |= {build_side("A", "python train.py --width $WIDTH", "tree", []).key}
    assert len(keys) == 5


def test_params_file_is_trained_with_the_seed(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("a folder") / "wide net.yaml"
    with pytest.raises(UserError, match=r"wide net\.yaml: there is no such params file"):
        build_side("A", str(file), "tree", [])
    file.write_text("seed: 0\n")
    side = build_side("A", str(file), "tree", [])
    assert side.command.endswith(f"-m thalweg.api.baseline '{file}' {{seed}}")
