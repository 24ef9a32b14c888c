"""How long a run is said to take."""

import pytest

from tests.cli.test_programs import CONFIG
from thalweg.artifacts.expected_times import describe_expected_time, write_expected_times
from thalweg.artifacts.stage_times import record_stage_time
from thalweg.system import files
from thalweg.system.paths import EXPECTED_TIMES

pytestmark = pytest.mark.usefixtures("empty_folder")
UNKNOWN = "`thalweg check --time` measures how long that takes"


def test_measured_times_are_of_one_experiment() -> None:
    write_expected_times(CONFIG, {"study": 80.0, "confirm": 40.0, "report": 5.0})
    assert describe_expected_time(CONFIG, ["study", "confirm"]) == "about 2 min"
    assert describe_expected_time(CONFIG.replace_values({"study.trials": 16}), ["study", "confirm"]) == UNKNOWN
    assert describe_expected_time(CONFIG.replace_values({"report.title": "Other"}), ["report"]) == "about 5 s"


def test_last_times() -> None:
    assert describe_expected_time(CONFIG, ["study"]) == UNKNOWN
    record_stage_time("study", 42.0)
    assert describe_expected_time(CONFIG, ["study"]) == "about 42 s when they last ran"
    assert describe_expected_time(CONFIG, ["study", "confirm"]) == UNKNOWN


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"experiment": 1, "seconds": 2}'])
def test_damaged_file_is_no_error(content: bytes) -> None:
    files.write_bytes(EXPECTED_TIMES, content)
    assert describe_expected_time(CONFIG, ["study"]) == UNKNOWN
