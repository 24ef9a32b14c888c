"""Work on all cores: in order, a few items ahead, and an error ends it."""

import threading
import time
from collections.abc import Iterator

import pytest

from thalweg.system import parallel, runtime


def wait_and_square(number: int) -> int:
    time.sleep(0.002 * (number % 3))
    return number * number


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "count_cores", lambda: 4)


def test_results_keep_their_order() -> None:
    assert list(parallel.map_in_threads(wait_and_square, range(50))) == [n * n for n in range(50)]
    assert list(parallel.map_in_threads(wait_and_square, [])) == []


def test_all_cores_work_at_once() -> None:
    together = threading.Barrier(4, timeout=30)
    assert len(list(parallel.map_in_threads(lambda _: together.wait(), range(4)))) == 4


def test_few_items_are_begun_ahead() -> None:
    begun = []

    def draw_items() -> Iterator[int]:
        for number in range(100):
            begun.append(number)
            yield number

    results = parallel.map_in_threads(wait_and_square, draw_items())
    for number in range(100):
        assert next(results) == number * number
        assert len(begun) <= number + 4 * parallel.AHEAD + 1


def test_error_comes_in_its_turn() -> None:
    def divide(number: int) -> float:
        return 1 / (number - 3)

    results = parallel.map_in_threads(divide, range(9))
    assert [next(results) for _ in range(3)] == [-1 / 3, -1 / 2, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.slow
def test_processes_keep_the_order() -> None:
    assert list(parallel.map_in_processes(wait_and_square, range(20))) == [n * n for n in range(20)]
