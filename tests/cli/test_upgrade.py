"""thalweg upgrade: what it prints, and what it writes."""

from pathlib import Path

import pytest

from tests.helpers.paths import EXPERIMENT, ROOT
from thalweg import cli

OLD = (ROOT / "tests" / "helpers" / "version-0.1.yaml").read_text()
CHANGES = """\
diagnose: not set -> {}
line 16: model.kind: models.cnn.Model -> cnn
line 38: study.space.model.kind.choices: models.cnn.Model -> cnn
line 39: study.space.model.kind.choices: models.resnet.Model -> resnet
line 41: study.space.model.norm.when.model.kind: models.cnn.Model -> cnn
line 44: study.enqueue.model.kind: models.resnet.Model -> resnet
line 51: report.sections: slices -> parameters
line 51: report.sections: terms -> loss_terms
line 51: report.sections: worst -> errors
line 51: report.sections: made -> provenance
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(OLD)
    return tmp_path


def test_old_file_becomes_good(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 2
    assert "`thalweg upgrade params.yaml` writes `cnn`" in capsys.readouterr().err
    assert cli.main(["upgrade"]) == 0
    assert capsys.readouterr().out == f"{CHANGES}params.yaml: 10 changes\n"
    assert cli.main(["check"]) == 0
    assert "old name" not in capsys.readouterr().out
    written = (project / "params.yaml").read_bytes()
    assert cli.main(["upgrade"]) == 0
    assert capsys.readouterr().out == "params.yaml: nothing is old\n"
    assert (project / "params.yaml").read_bytes() == written


def test_dry_run_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["upgrade", "--dry-run"]) == 0
    assert capsys.readouterr().out == f"{CHANGES}params.yaml: 10 changes; nothing was written\n"
    assert (project / "params.yaml").read_text() == OLD


def test_changed_file_keeps_the_ends_of_its_lines(project: Path) -> None:
    (project / "params.yaml").write_bytes(OLD.replace("\n", "\r\n").encode())
    assert cli.main(["upgrade"]) == 0
    assert (project / "params.yaml").read_bytes().replace(b"\r\n", b"").count(b"\n") == 0
    assert cli.main(["check"]) == 0


@pytest.mark.parametrize("alias", [False, True])
def test_changed_file_keeps_its_byte_order_mark(project: Path, alias: bool) -> None:
    """Windows' editors know UTF-8 by it. What has an alias is written in another way than all else."""
    text = OLD.replace("kind: models.cnn.Model", "kind: &kind models.cnn.Model", 1) if alias else OLD
    (project / "params.yaml").write_bytes(text.encode("utf-8-sig"))
    assert cli.main(["upgrade"]) == 0
    written = (project / "params.yaml").read_bytes()
    (project / "params.yaml").write_text(text)
    assert cli.main(["upgrade"]) == 0
    assert written == b"\xef\xbb\xbf" + (project / "params.yaml").read_bytes()


def test_changed_file_keeps_its_link_and_rights(project: Path) -> None:
    (real := project / "real.yaml").write_text(OLD)
    real.chmod(0o600)
    (project / "link.yaml").symlink_to("real.yaml")
    assert cli.main(["upgrade", "link.yaml"]) == 0
    assert (project / "link.yaml").is_symlink()
    assert "models.cnn" in OLD
    assert "models.cnn" not in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o600


def test_good_file_keeps_its_bytes(project: Path) -> None:
    text = EXPERIMENT.read_text().replace("seed: 0 ", "seed:    0 ").replace("\n", "\r\n")
    (project / "mine.yaml").write_bytes(text.encode("utf-8-sig"))
    assert cli.main(["upgrade", "mine.yaml"]) == 0
    assert (project / "mine.yaml").read_bytes() == text.encode("utf-8-sig")


def test_check_names_old_names_that_still_work(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = EXPERIMENT.read_text().replace("sections: [] ", "sections: [made] ")
    (project / "params.yaml").write_text(text)
    line = text[: text.index("  sections:")].count("\n") + 1
    assert cli.main(["check"]) == 0
    advice = "made is an old name; `thalweg upgrade params.yaml` writes provenance"
    assert f"note: line {line}: report.sections: {advice}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\n", "params.yaml:1:4: not valid YAML"),
        ("- 1\n", "the file is a list of 1"),
        ("report: {sections: [made]}\nreport: {}\n", "Run `thalweg check params.yaml`, and correct it first"),
    ],
)
def test_broken_file_is_named(project: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "params.yaml").write_text(text)
    assert cli.main(["upgrade"]) == 2
    assert message in capsys.readouterr().err
    assert (project / "params.yaml").read_text() == text
