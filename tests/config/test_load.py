"""Loading params files: valid files, and the messages for invalid ones."""

from pathlib import Path

import pytest

from tests.helpers.params_messages import (
    ALLOWED,
    TEXT,
    edit_experiment,
    find_line,
    list_message_lines,
)
from tests.helpers.paths import EXPERIMENT, ROOT
from thalweg import cli
from thalweg.config.experiment import Config
from thalweg.config.load import load_config


@pytest.mark.parametrize(
    "file", [ROOT / "params.yaml", *sorted((ROOT / "presets").glob("*.yaml"))], ids=lambda file: file.stem
)
def test_shipped_files_load(file: Path) -> None:
    assert isinstance(load_config(file), Config)


def test_load_names_missing_keys(tmp_path: Path) -> None:
    text = edit_experiment(
        ("  kind: heavy_ball          # gradient_descent | heavy_ball | nesterov | ema | adam | adamw | lion\n", ""),
        ("  epochs: 16\n", ""),
        ("task:\n  kind: count               # count | classify | detect | enhance\n", "task:\n"),
        ("    size: [48, 48]", "    size: [48]"),
        ("confirm:\n", "confirmed:\n"),
    )
    lines = list_message_lines(tmp_path, text)
    known = ALLOWED["optimizers"]
    parts = ", ".join(Config.model_fields)
    assert sorted(line.partition(": ")[2] for line in lines) == sorted(
        [
            f"optimizer.kind: is missing; allowed: {known}",
            "training.epochs: is missing",
            f"task: needs a `kind`; allowed: {ALLOWED['tasks']}",
            "data.source.size.1: is missing",
            f"confirmed: unknown key; allowed: {parts}; did you mean `confirm`?",  # so `confirm` is not missing, too
        ]
    )
    # what is missing is named in the line of the part that lacks it
    assert f"{find_line(text, 'optimizer:')}: optimizer.kind: is missing; allowed: {known}" in lines
    assert f"{find_line(text, 'training:')}: training.epochs: is missing" in lines


def test_missing_part_has_no_line(tmp_path: Path) -> None:
    text = TEXT[: TEXT.index("confirm:\n")] + TEXT[TEXT.index("report:\n") :].replace("report:", "engine: {}\nreport:")
    file = tmp_path / "params.yaml"
    assert list_message_lines(tmp_path, text.replace("seed: 0 ", "# ")) == [
        " `seed` is missing",
        " `confirm` is missing",
        f" `diagnose` is missing; `thalweg upgrade {file}` adds `diagnose: {{}}`",
    ]


def test_list_is_explained_by_its_entries(tmp_path: Path) -> None:
    text = edit_experiment(("    size: [48, 48]", "    size: 48"))
    line = find_line(text, "    size: 48")
    assert list_message_lines(tmp_path, text) == [
        f"{line}: data.source.size: must be a list (height and width in pixels), not 48"
    ]


def test_augmentation_error_names_the_way_out(tmp_path: Path) -> None:
    text = edit_experiment(("    flip: 0.5 ", "    shift: 0.1\n    flip: 0.5 "))
    assert list_message_lines(tmp_path, text) == [
        f"{find_line(text, 'shift')}: augment.online.shift: could make the labels of task `count` wrong; remove it, or "
        f"set `task.density` to one of 2, 4, 8, 16; as it is, `count` allows only {ALLOWED['moving no one']}"
    ]
    text = edit_experiment(("  kind: count ", "  kind: enhance "), ("    noise: 0.0 ", "    noise: 0.1 "))
    lines = [line for line in list_message_lines(tmp_path, text) if "augment" in line]
    assert lines
    assert all("could make the labels of task `enhance` wrong; remove it; as it is" in line for line in lines)


def test_section_must_not_be_empty_or_scalar(tmp_path: Path) -> None:
    text = edit_experiment(("  title: How many people are in this image?\n  sections: []", "# "))
    assert list_message_lines(tmp_path, text) == [
        f"{find_line(text, 'report:')}: report: must be a mapping of keys to values, not empty (null); "
        "allowed: title, sections"
    ]
    text = edit_experiment(("    by: group  ", "    by: [group]")).replace(
        "task:\n  kind: count ", "task: count\nx:\n  kind: count"
    )
    messages = [line.partition(": ")[2] for line in list_message_lines(tmp_path, text)]
    assert any(line.startswith("data.split.by: a list of 1 is not known") for line in messages)
    assert 'task: must be a mapping of keys to values, not the text "count"; write `{kind: count, …}`' in messages


def test_term_of_a_task_option_names_the_option(tmp_path: Path) -> None:
    assert [
        line.partition(": ")[2]
        for line in list_message_lines(tmp_path, edit_experiment(("    count:\n", "    areas:\n")))
    ] == [
        "loss.terms.count: is missing; task `count` needs it: `count: {kind: l1}`",
        "loss.terms.areas: task `count` has this term only if `density` is one of 2, 4, 8, 16; it is 0; allowed: count",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"seed: 0\n# \xff\n", "2: not UTF-8 text (invalid start byte); save it as UTF-8"),
        ("", "1: the file is empty; it must have the sections seed, data, augment,"),
        ("# nothing\n", "1: the file is empty; it must have"),
        ("- a\n- b\n", "1: the file is a list of 2; it must have"),
        ("just words\n", '1: the file is the text "just words"; it must have'),
        ("seed: 0\ndata:\n\tpath: data\n", "3:1: not valid YAML: there is a tab; use spaces\n    →path: data\n    ^"),
        ("seed: [0\ndata: 1\n", "1:7: not valid YAML: the `[` that opens here is not closed"),
        ("seed: 0\n---\nseed: 1\n", "2:1: not valid YAML: but found another document"),
        ("seed: 0\ndata: *nowhere\n", "2:7: not valid YAML: found undefined alias 'nowhere' (put quotes"),
        ("seed: 0\nx: \x00\n", "2: not valid YAML: "),
        ("seed: &a\n  b: *a\n", "1: not valid YAML: nested too deeply, or a section contains itself"),
        ("x: " + "[" * 500, "1: not valid YAML: nested too deeply"),
        ("seed: 0\ndata: {path: [a, 2020-99-99]}\n", "2: not valid YAML: a value cannot be read (month must be in"),
        ("# so long\nseed: " + "9" * 5000, "2: not valid YAML: a value cannot be read"),
        ("seed: 0\ndata: !mine {}\n", "2:7: not valid YAML: could not determine a constructor for the tag '!mine'"),
    ],
)
def test_file_without_params_is_refused(tmp_path: Path, text: str | bytes, line: str) -> None:
    lines = list_message_lines(tmp_path, text)
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_missing_file_has_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "no/such.yaml"]) == 2
    assert capsys.readouterr().err == "no/such.yaml: cannot be read (No such file or directory)\n"


def test_repeated_keys_are_named_at_any_depth(tmp_path: Path) -> None:
    text = edit_experiment(
        ("  momentum: 0.9\n", "  momentum: 0.9\n  momentum: 0.8\n"),
        ("  kind: cosine ", "  final: '0'\n  kind: cosine "),
    )
    again, first = find_line(text, "  momentum: 0.8\n"), find_line(text, "  momentum: 0.9\n")
    quoted, final = find_line(text, "  final: '0'"), find_line(text, "  final: 0.0")
    assert list_message_lines(tmp_path, text) == [
        f"{again}: optimizer.momentum: duplicate key, first used in line {first}",
        f'{final}: schedule.final: must be a number, not the text "0"',
        f"{final}: schedule.final: duplicate key, first used in line {quoted}",
    ]


def test_byte_order_mark_and_crlf_are_accepted(tmp_path: Path) -> None:
    assert list_message_lines(tmp_path, b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()) == []


def test_exponents_are_accepted(tmp_path: Path) -> None:
    assert list_message_lines(tmp_path, edit_experiment(("learning_rate: 0.001", "learning_rate: 1e-3"))) == []
    assert load_config(tmp_path / "params.yaml") == load_config(EXPERIMENT)


def test_check_describes_valid_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(EXPERIMENT)]) == 0
    study = load_config(EXPERIMENT).study
    assert (
        f"{study.trials} trials in {study.trials // study.cohort} cohorts of {study.cohort}" in capsys.readouterr().out
    )
