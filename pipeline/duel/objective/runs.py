"""Calls of an objective in processes, several at once."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from thalweg.duel.objective import call
from thalweg.duel.objective.study import Candidate
from thalweg.system.files import UserError
from thalweg.system.guarded import run_guarded

FIRST_RUNS = 3
"""Runs after which a fault that they all have is the objective's."""
LAST_LINES = 3
"""Lines of standard error that explain a process that ended without a result."""


@dataclass(frozen=True)
class Call:
    """A call to make: a candidate and a seed."""

    candidate: Candidate
    seed: int


@dataclass(frozen=True)
class Outcome:
    """How a call ended: with a value, or why it `failed`."""

    call: Call
    value: float | None
    failed: str = ""


def run_calls(
    objective: str,
    calls: Iterable[Call],
    jobs: int,
    timeout: float | None,
    store: Callable[[Outcome], None],
    *,
    has_worked: bool = False,
) -> None:
    """Make the calls in their order, `jobs` at once, each in a new process; `store` gets each outcome as it ends.

    Raises `UserError` for an objective that cannot be called; and for one that fails in all of its first runs, unless
    it has worked before.
    """
    waiting, is_over = iter(calls), threading.Event()
    outcomes = list[Outcome]()
    with ThreadPoolExecutor(jobs) as pool:
        running = set[Future[Outcome | None]]()
        try:
            while True:
                started = islice(waiting, jobs - len(running))
                running |= {pool.submit(run_call, objective, each, timeout, is_over) for each in started}
                if not running:
                    return
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                for outcome in filter(None, (future.result() for future in ended)):
                    store(outcome)
                    outcomes.append(outcome)
                is_broken = not has_worked and all(outcome.failed for outcome in outcomes)
                if len(outcomes) >= FIRST_RUNS and is_broken:
                    fault = f"has failed in all of its {len(outcomes)} runs: {outcomes[-1].failed}"
                    advice = "Correct it, and run it again with --retry-failed"
                    raise UserError(f"--objective: `{objective}` {fault}. {advice}")
        finally:
            is_over.set()


def run_call(objective: str, made: Call, timeout: float | None, is_over: threading.Event) -> Outcome | None:
    """Make a call in a new process. None if `is_over` was set before its end. Raises `UserError`."""
    began, results, errors = time.monotonic(), list[str](), list[str]()

    def receive(stream: str, line: str) -> None:
        if stream == "errors":
            errors.append(line)
        elif line.startswith(call.MARK):
            results.append(line.removeprefix(call.MARK))

    def should_end() -> bool:
        return is_over.is_set() or (timeout is not None and time.monotonic() - began > timeout)

    command = [sys.executable, "-m", call.__name__, objective, json.dumps(dict(made.candidate.params)), str(made.seed)]
    code = run_guarded(command, Path(), os.environ | {"SEED": str(made.seed)}, receive, should_end)
    if is_over.is_set():
        return None
    if code is None:
        return Outcome(made, None, f"it took longer than {timeout:g} s")
    if not results:
        last = " ".join(line.strip() for line in errors[-LAST_LINES:])
        return Outcome(made, None, f"its process ended with exit code {code}: {last}".rstrip(": "))
    result = json.loads(results[-1])
    if "refused" in result:
        raise UserError(f"--objective: {result['refused']}")
    return Outcome(made, result.get("value"), result.get("failed", ""))
