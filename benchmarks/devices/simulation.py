"""Simulate a study on many devices with the product's own scheduler: `search.cohorts` and `engine.block_layout`.

Each lane fills a device. As in `Fleet.run_segment`, all lanes in training advance by a segment, and the next one begins
when the last of them is there; between segments the leading process works alone.
"""

import heapq
from dataclasses import dataclass, field

import numpy as np

from benchmarks.devices.world import Costs, Device, World
from thalweg.engine import block_layout
from thalweg.engine.block_layout import BlockShape
from thalweg.engine.fleet import SEGMENT_SECONDS, choose_interval
from thalweg.search import cohorts
from thalweg.search.cohorts import Cohort, Rules, Score, SearchState

NOISE = 0.5
"""Deviation of a trial's score at a rung, where trials themselves have a deviation of 1."""
MIB = 2**20


@dataclass(frozen=True)
class Run:
    """A simulated study: its seconds, and the share of the devices' time in which they trained at their usual speed."""

    seconds: float
    utilisation: float


@dataclass
class Study:
    """A study in progress: where each lane in training is and goes to, in epochs, and the time.

    With `has_segments` each lane comes back after a segment and waits for all others, as in the product. Without,
    it comes back at its rung and waits for its cohort only.
    """

    world: World
    costs: Costs
    rules: Rules
    draw: np.random.Generator
    has_segments: bool = True
    state: SearchState = field(default_factory=SearchState)
    epochs: dict[int, int] = field(default_factory=dict)
    targets: dict[int, int] = field(default_factory=dict)
    running: list[tuple[float, int, int]] = field(default_factory=list)
    now: float = 0.0
    saved: float = 0.0
    trained: int = 0
    finished: int = 0

    def __post_init__(self) -> None:
        self.pool = [Device(self.world, self.draw) for _ in range(self.world.devices)]
        self.devices = [(0.0, number) for number in range(self.world.devices)]
        self.quality = self.draw.standard_normal(self.rules.trial_count)

    def run(self) -> Run:
        self._begin_cohorts()
        while self.state.open_cohorts:
            self._advance()
            for cohort in self.state.open_cohorts:
                self._judge(cohort)
            while self.state.open_cohorts and not self.state.open_cohorts[0].rungs:
                self.finished += self.rules.cohort_size
                self.state = cohorts.close_oldest_cohort(self.state)
                self._begin_cohorts()
        return Run(self.now, self.trained * self.world.epoch_seconds / (self.now * self.world.devices))

    def _begin_cohorts(self) -> None:
        while cohorts.can_begin_cohort(self.rules, self.state):
            count = self.rules.cohort_size
            self.state = cohorts.begin_cohort(self.rules, self.state)
            cohort = self.state.open_cohorts[-1]
            asking = self.costs.ask_cohort(count, self.finished, cohort.number * count - self.finished)
            self.now += asking + count * self.costs.trial + self.costs.write
            for trial in cohort.alive:
                self.epochs[trial], self.targets[trial] = 0, cohort.rungs[0]

    def _judge(self, cohort: Cohort) -> None:
        if not cohort.rungs or any(self.epochs[trial] < self.targets[trial] for trial in cohort.training_trials):
            return
        rung = cohort.rungs[0]
        if len(cohort.rungs) > 1:  # at the end of training no trial is ranked
            self.now += self.costs.rank * len(cohort.alive)
        noise = NOISE * self.draw.standard_normal(len(cohort.alive))
        scores = {trial: Score((self.quality[trial] + e,)) for trial, e in zip(cohort.alive, noise, strict=True)}
        earlier = cohorts.find_earlier_scores(self.rules, self.state, cohort)
        after = cohorts.judge_cohort(self.rules, cohort, scores, earlier)
        self.state = cohorts.replace_cohort(cohorts.record_scores(self.state, rung, scores), after)
        for trial in cohort.training_trials:
            if after.rungs and trial in after.training_trials:
                self.targets[trial] = after.rungs[0]
            else:
                del self.epochs[trial], self.targets[trial]

    def _advance(self) -> None:
        """Let lanes train until the scheduler looks again: a segment, or until one of them reaches its rung."""
        on_way = {trial for _, trial, _ in self.running}
        waiting = [t for t, epoch in self.epochs.items() if epoch < self.targets[t] and t not in on_way]
        for place, trial in enumerate(self._plan_calls(waiting), 1):
            count = self._count_epochs(trial)
            end = self._train(count * self.world.epoch_seconds, self.now + place * self._send_seconds)
            heapq.heappush(self.running, (end, trial, count))
        self.now = max(self.now, self.running[0][0])
        arrived = 0
        while self.running and (self.has_segments or self.running[0][0] <= self.now):
            end, trial, count = heapq.heappop(self.running)
            self.now = max(self.now, end) + self._send_seconds  # one after another, through one process
            self.epochs[trial] += count
            self.trained += count
            arrived += self.epochs[trial] == self.targets[trial]
        self.now += arrived * self.costs.lane + self.costs.write
        snapshot = len(self.epochs) * self.world.lane_mib * MIB / self.costs.snapshot_rate
        if self.now - self.saved > choose_interval(snapshot):
            self.now += snapshot
            self.saved = self.now

    def _count_epochs(self, trial: int) -> int:
        """Count the epochs that a lane trains until it comes back."""
        left = self.targets[trial] - self.epochs[trial]
        return min(left, max(1, int(SEGMENT_SECONDS / self.world.epoch_seconds))) if self.has_segments else left

    def _plan_calls(self, waiting: list[int]) -> list[int]:
        """Return lanes in the order of their calls: each lane fills a device, and each device has a worker."""
        clocks = [(0, 0, self.epochs[trial]) for trial in waiting]
        calls = block_layout.plan_calls(clocks, BlockShape(1, 1), 1, self.world.devices) if waiting else []
        return [waiting[lane] for call in calls for block in call for lane in block]

    @property
    def _send_seconds(self) -> float:
        """The time that the leading process takes to send a lane's state to a worker, or to take it back."""
        return self.costs.call / 2 + self.world.lane_mib * MIB / self.costs.transfer_rate

    def _train(self, seconds: float, start: float) -> float:
        """Train a lane on the device that is free first, and again on another one if that fails. Returns the end."""
        has_failed = True
        while has_failed:
            _, number = heapq.heappop(self.devices)
            device = self.pool[number]
            start, has_failed = device.work(start, seconds)
            heapq.heappush(self.devices, (device.free, number))
        return start
