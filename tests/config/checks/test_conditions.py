"""A choice that is gone: one message for all that still names it."""

from pathlib import Path

from tests.helpers.params_messages import edit_experiment, list_message_lines

SIZES = "  width: 12\n  depth: 3\n"
LAST = "      high: 0.98\n"
KINDS = "    model.kind: {{choices: [linear, {}]}}\n"
CONDITIONS = (
    "    model.width: {choices: [4, 8], when: {model.kind: cnn}}\n"
    "    model.depth: {choices: [2, 3], when: {model.kind: [cnn]}}\n"
    "    model.norm: {choices: [true, false], when: {model.depth: 2}}\n"
)
KIND = ("  kind: cnn  ", "  kind: linear  "), (SIZES, "")


def test_gone_choice_is_reported_once(tmp_path: Path) -> None:
    """Its size would not be in the file, nor would what depends on the size."""
    enqueue = ("  objective: mae", "  objective: mae\n  enqueue: [{model.kind: cnn}]")
    assert list_message_lines(tmp_path, edit_experiment(*KIND, (LAST, LAST + KINDS.format("cnn") + CONDITIONS))) == []
    text = edit_experiment(*KIND, enqueue, (LAST, LAST + KINDS.format("mlp") + CONDITIONS))
    (line,) = list_message_lines(tmp_path, text)
    assert line.partition(": ")[2] == (
        'study.space.model.width.when.model.kind: "cnn" is not among its choices; `study.space.model.depth.when` and '
        "`study.enqueue.0` name it, too; allowed: linear, mlp"
    )


def test_misspelt_choice_is_the_only_cause(tmp_path: Path) -> None:
    (line,) = list_message_lines(tmp_path, edit_experiment(*KIND, (LAST, LAST + KINDS.format("cn") + CONDITIONS)))
    assert 'study.space.model.kind.choices.1: "cn" is not known' in line


def test_other_faults_of_the_space_still_show(tmp_path: Path) -> None:
    rate = ("      low: 0.0003", "      low: 0.5")
    text = edit_experiment(*KIND, rate, (LAST, LAST + KINDS.format("mlp") + CONDITIONS))
    first, second = list_message_lines(tmp_path, text)
    assert "`low` must be below `high`" in first
    assert '"cnn" is not among its choices' in second


def test_misspelt_condition_has_a_suggestion(tmp_path: Path) -> None:
    conditions = CONDITIONS.replace("{model.kind: cnn}", "{model.kind: cnnn}")
    lines = list_message_lines(tmp_path, edit_experiment(*KIND, (LAST, LAST + KINDS.format("cnn") + conditions)))
    assert any('"cnnn" is not among its choices; allowed: linear, cnn; did you mean `cnn`?' in line for line in lines)
