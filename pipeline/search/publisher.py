"""Publish a study while it runs: Optuna's storage is a view, so nothing that happens to it ends the study."""

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from thalweg.config.experiment import Config
from thalweg.search import storage_place
from thalweg.search.trials import Outcome, Trial
from thalweg.system.files import UserError

if TYPE_CHECKING:
    from thalweg.search.optuna_storage import StoredStudy

END_SECONDS = 5.0  # how long the end of a study waits for a storage that is away
RETRY_SECONDS = 0.2
PAUSE_SECONDS = 1.0  # from one transaction to the next: cohorts that last milliseconds share one
STUCK_SECONDS = 30.0  # how long it waits for one that answers slowly


class Publisher:
    """A callback that adds each finished cohort to Optuna's storage, in its own thread, while the next one trains.

    It is a `thalweg.search.study.StudyCallback`; use it as a context. Nothing reads back what it writes. A storage that
    the user chose must open at the start, else `UserError`. Later, and for the default one, a line says what fails;
    each cohort publishes all that is missing.
    """

    def __init__(self, config: Config, fingerprint: str) -> None:
        self._config, self._fingerprint = config, fingerprint
        self._study: StoredStudy | None = None
        self._outcomes: list[Outcome] = []
        self._stored = 0
        self._failure = ""
        self._wake, self._over = threading.Event(), threading.Event()
        self._end: float | None = None  # once the study is over: until when to try again
        # a daemon: a server that accepts a connection and is silent must not keep the process
        self._thread = threading.Thread(target=self._publish_cohorts, name="publisher", daemon=True)

    def __enter__(self) -> "Publisher":
        if storage_place.is_chosen():
            from thalweg.search import optuna_storage

            try:
                self._study = optuna_storage.open_study(self._config, self._fingerprint)
            except UserError as error:
                advice = f"Correct it, or start its database. Without it, studies go to {storage_place.DEFAULT_FILE}."
                raise UserError(f"{error}. {advice}".replace("..", ".")) from error
        self._thread.start()
        return self

    def __exit__(self, _kind: object, error: object, _at: object) -> None:
        self._end = time.monotonic() + (END_SECONDS if error is None else 0)
        self._over.set()
        self._wake.set()
        self._thread.join(STUCK_SECONDS if error is None else END_SECONDS)
        missing = len(self._outcomes) - self._stored
        if missing and error is None:  # after an error the study goes on later, and publishes then
            total = len(self._outcomes)
            _print_message(
                f"Optuna's storage lacks {missing} of {total} trials: {self._failure or 'it does not answer'}. "
                f"The results are complete without it. `thalweg study --trials {self._config.study.trials}` "
                "publishes what is missing, and trains nothing anew."
            )

    def on_segment(self, finished_trials: int, active_lanes: int) -> None:
        """Do nothing: only finished cohorts are published."""

    def on_cohort(self, trials: Sequence[Trial]) -> None:
        """Publish the trials that the storage does not have yet."""
        self._outcomes = [trial.outcome for trial in trials]
        self._wake.set()

    def _publish_cohorts(self) -> None:
        """Publish after each cohort, at most once a pause. At the end try again for some seconds."""
        # SQLAlchemy takes a third of a second, which this thread has while the first program compiles
        import thalweg.search.optuna_storage  # noqa: F401

        while self._end is None:
            self._wake.wait()
            self._wake.clear()
            self._publish_outcomes(self._outcomes)
            self._over.wait(PAUSE_SECONDS)
        while self._stored < len(self._outcomes) and time.monotonic() < self._end:
            time.sleep(RETRY_SECONDS if self._failure else 0)
            self._publish_outcomes(self._outcomes)

    def _publish_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Try to publish, twice: the second time with the storage opened anew. Say the first failure of an outage."""
        from thalweg.search import database, optuna_storage

        failure = ""
        for _ in range(2 if len(outcomes) > self._stored else 0):
            try:
                first = self._stored if self._study else 0  # a storage that is opened anew may have none
                self._study = self._study or optuna_storage.open_study(self._config, self._fingerprint)
                optuna_storage.add_trials(self._study, self._config, outcomes[first:])
            except UserError as error:
                self._study, failure = None, str(error)
                with suppress(UserError, OSError):
                    database.set_damaged_aside(error)
            else:
                self._stored, failure = len(outcomes), ""
                break
        if failure and not self._failure:
            _print_message(f"{failure}. The study goes on; each cohort publishes what is missing.")
        self._failure = failure


def _print_message(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
