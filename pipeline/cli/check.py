"""`thalweg check`: the errors of a params file, or what a study of it does."""

from pathlib import Path

from thalweg.artifacts import expected_times, own_code
from thalweg.cli import answers, measure, preflight, programs, stage_work, upgrade
from thalweg.cli.answers import CheckAnswer, ParamsFault
from thalweg.config import notes
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.config.params_file import ParamsError
from thalweg.data.examples import Examples
from thalweg.data.split_warnings import find_unread_warnings
from thalweg.system import compiled, progress
from thalweg.system.counts import format_count


def check_params(file: Path, *, measures_time: bool, as_json: bool) -> int:
    """Check a params file, and print what was found. Returns the exit code. Raises `ParamsError` but for JSON."""
    try:
        config = load_config(file, preflight.find_data_problems)
    except ParamsError as error:
        if not as_json:
            raise
        print(answers.format_answer(CheckAnswer(str(file), list_faults(error))))
        return 2
    outline = preflight.build_outline(config.data, config.seed)
    has_examples = outline is not None and len(outline) > 0
    answer = _describe_study(config, file, outline if has_examples else None, measures_time=measures_time)
    print(answers.format_answer(answer) if as_json else _describe_answer(config, answer))
    if measures_time and not has_examples and not as_json:
        print(f"the time cannot be measured, because {preflight.UNKNOWN_EXAMPLES}")
    return 0


def list_faults(error: ParamsError) -> tuple[ParamsFault, ...]:
    return tuple(ParamsFault(fault.line, fault.message) for fault in error.faults)


def _describe_study(config: Config, file: Path, outline: Examples | None, *, measures_time: bool) -> CheckAnswer:
    planned = programs.list_programs(config, outline) if outline is not None else []
    unwatched = filter(None, [own_code.describe_computed_imports(config.model_dump())])
    listed = (
        notes.list_notes(config),
        programs.list_precision_notes(config),
        programs.list_batch_notes(planned) if planned else (),
        find_unread_warnings(config.data.split, outline) if outline is not None else (),
        preflight.list_unbuilt(config),
        upgrade.list_old_names(file),
        unwatched,
    )
    return CheckAnswer(
        str(file),
        trials=config.study.trials,
        cohorts=config.study.trials // config.study.cohort,
        programs=programs.count_programs(config),
        size=programs.describe_size(config, outline, planned) if outline is not None else "",
        notes=tuple(note for group in listed for note in group),
        seconds=_measure_stages(config, outline, planned) if measures_time and outline is not None else None,
    )


def _measure_stages(config: Config, outline: Examples, planned: list[programs.PlannedProgram]) -> dict[str, float]:
    """Measure the seconds of each stage, and keep them for the run."""
    compiled.guard_compiled_programs()
    with progress.show_stage("check"):
        seconds = stage_work.estimate_stages(config, measure.measure_speed(config, outline, planned))
    expected_times.write_expected_times(config, seconds)
    return seconds


def _describe_answer(config: Config, answer: CheckAnswer) -> str:
    programs_text = "one program" if answer.programs == 1 else f"up to {answer.programs} programs"
    cohorts = format_count(answer.cohorts, "cohort")
    lines = [
        f"{answer.file}: no errors",
        f"{format_count(answer.trials, 'trial')} in {cohorts} of {config.study.cohort}, {programs_text} to compile",
        notes.describe_settings(config),
        answer.size,
        stage_work.describe_stages(answer.seconds) if answer.seconds else "",
        *(f"note: {note}" for note in answer.notes),
    ]
    return "\n".join(filter(None, lines))
