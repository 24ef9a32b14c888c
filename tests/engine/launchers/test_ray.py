"""Lanes on the nodes of a real Ray cluster: the same bits, also where a node is lost, goes or joins."""

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ray._raylet import GcsClient  # type: ignore[attr-defined]
from ray.cluster_utils import Cluster
from ray.core.generated import autoscaler_pb2

from tests.helpers.paths import ROOT
from tests.helpers.small_lanes import HYPERS, PLAN, SEEDS, draw_training_data, train_lanes
from tests.helpers.trees import are_equal_trees
from thalweg.engine import population
from thalweg.engine.devices import copy_to_devices
from thalweg.engine.fit import LaneState
from thalweg.engine.fleet import Fleet
from thalweg.engine.launchers import ray, ray_cluster
from thalweg.engine.state_folder import Journal
from thalweg.system import runtime
from thalweg.system.files import UserError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")]
NODE = {"num_cpus": runtime.XLA_THREADS}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Two nodes that train, beside a head that does not."""
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(2):
            started.add_node(**NODE)
        started.wait_for_nodes()
        yield started
    finally:
        started.shutdown()


def test_nodes_give_same_bits(
    cluster: Cluster, end_states: tuple[list[LaneState], int], start_states: list[LaneState]
) -> None:
    data = draw_training_data()
    with ray.start_ray_workers(data, cluster.address) as workers:
        assert wait_for_count(workers, 2)
        states = population.advance_lanes(PLAN, HYPERS, start_states, data, [PLAN.epochs] * 7, workers=workers)
        errors = [workers.submit(raise_odd_error).exception(), workers.submit(count_rows).result()]
    assert all(are_equal_trees(one, other) for one, other in zip(states, end_states[0], strict=True))
    assert isinstance(errors[0], KeyError)
    assert errors[1] == len(data.images)


def raise_odd_error(_data: Any) -> None:
    raise KeyError("odd")


def count_rows(data: Any) -> int:
    return len(data.images)


def kill_first_workers(folder: str, deaths: int, _data: Any) -> int:
    """Kill the process that runs this, the first times."""
    marks = [Path(folder, str(number)) for number in range(deaths)]
    for mark in marks:
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), 9)
    return os.getpid()


def test_killed_worker_is_replaced(cluster: Cluster, tmp_path: Path) -> None:
    """A call may lose two workers; one that loses three is to blame."""
    folders = tmp_path / "two", tmp_path / "three"
    for folder in folders:
        folder.mkdir()
    with ray.start_ray_workers(draw_training_data(), cluster.address) as workers:
        assert workers.submit(kill_first_workers, str(folders[0]), 2).result() > 0
        assert wait_for_count(workers, 2)
        with pytest.raises(UserError, match="3 training processes in a row were killed in the same step"):
            workers.submit(kill_first_workers, str(folders[1]), 3).result()
        assert wait_for_count(workers, 2)


def wait_for_count(workers: ray.RayWorkers, count: int) -> bool:
    """Return whether as many workers serve, within three minutes."""
    return any(workers.count_processes() == count or time.sleep(0.5) for _ in range(360))  # type: ignore[func-returns-value]


def test_lost_and_new_nodes_change_nothing(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, data = replace(PLAN, epochs=3000), draw_training_data()
    begun = [population.init_lane(plan, *lane, 0) for lane in zip(HYPERS, SEEDS, strict=True)]
    expected = train_lanes(plan, HYPERS, begun, copy_to_devices(data))
    lost, drop_worker = list[Any](), ray.RayWorkers._drop_worker

    def drop_and_note(workers: ray.RayWorkers, worker: Any) -> None:
        lost.append(worker)
        drop_worker(workers, worker)

    monkeypatch.setattr(ray.RayWorkers, "_drop_worker", drop_and_note)
    first, second = list(cluster.worker_nodes)
    with ray.start_ray_workers(data, cluster.address) as workers:
        fleet = Fleet(tmp_path, copy_to_devices(data), Journal(tmp_path), workers=workers)
        for trial, hyper in enumerate(HYPERS):
            fleet.add_trial(trial, plan, hyper, [(SEEDS[trial], 0)])
        fleet.set_target(range(7), plan.epochs)
        fleet.run_segment()
        lose_node(cluster, first, fleet)
        assert wait_for_count(workers, 1)
        cluster.add_node(**NODE)
        assert wait_for_count(workers, 2)
        lose_node(cluster, second, fleet)
        while fleet.run_segment():
            pass
        ends = [fleet.list_states(trial)[0] for trial in range(7)]
    assert lost  # in the middle of a segment, at least once
    assert all(are_equal_trees(one, other) for one, other in zip(ends, expected, strict=True))


def lose_node(cluster: Cluster, node: Any, fleet: Fleet) -> None:
    """Kill a node in the middle of a segment."""
    timer = threading.Timer(0.1, cluster.remove_node, [node], {"allow_graceful": False})
    timer.start()
    assert fleet.run_segment()
    timer.join()


def test_drained_node_gets_no_work(cluster: Cluster) -> None:
    with ray.start_ray_workers(draw_training_data(), cluster.address) as workers:
        assert wait_for_count(workers, 2)
        client = GcsClient(address=cluster.gcs_address)
        reason = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
        node = next(iter(cluster.worker_nodes)).node_id
        assert client.drain_node(node, reason, "the node is taken away", int(1000 * (time.time() + 600)))[0]
        assert wait_for_count(workers, 1)
        assert workers.submit(count_rows).result() > 0


@pytest.mark.parametrize(
    ("resources", "count", "options"),
    [({"CPU": 8.0}, 4, {"num_cpus": 2}), ({"CPU": 1.0}, 1, {"num_cpus": 1}), ({"memory": 1e9}, 0, {"num_cpus": 0})],
)
def test_workers_fill_a_node(resources: dict[str, float], count: int, options: dict[str, int]) -> None:
    assert ray_cluster.plan_workers(resources) == (count, options)


def test_other_processor_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    here = ray_cluster.describe_machine() | {"processor": "abacus"}
    there = ray_cluster.describe_machine()["processor"]
    monkeypatch.setattr(ray_cluster, "describe_machine", lambda: here)
    with (
        ray.start_ray_workers(draw_training_data(), cluster.address) as workers,
        pytest.raises(UserError, match="no node of the Ray cluster can train") as caught,
    ):
        workers.count_processes()
    assert f"its processor is {there}, and that of this study abacus" in str(caught.value)


def test_job_keeps_its_own_files(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ray job submit` has sent the files, and Ray takes no folder twice."""
    job = {"runtime_env": {"working_dir": str(ROOT / "presets"), "excludes": ["*.md"]}}
    monkeypatch.setenv(ray_cluster.JOB_VARIABLE, json.dumps(job))
    with ray.start_ray_workers(draw_training_data(), cluster.address) as workers:
        assert workers.submit(id).result() > 0


def test_closed_workers_end_what_waits(cluster: Cluster) -> None:
    with ray.start_ray_workers(draw_training_data(), cluster.address) as workers:
        waiting = [workers.submit(sleep_long) for _ in range(5)]
        time.sleep(1.0)
    assert all(call.done() for call in waiting)  # none asks Ray from now on
    assert all(isinstance(call.exception(), UserError) for call in waiting)


def sleep_long(_data: Any) -> None:
    time.sleep(600.0)


def test_missing_cluster_is_explained() -> None:
    with pytest.raises(UserError, match=r"^the Ray cluster at 127\.0\.0\.1:9 cannot be used: "):
        ray.start_ray_workers(draw_training_data(), "127.0.0.1:9").__enter__()


def test_refusing_cluster_may_want_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray tries for half a minute before it says no more than this."""
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    refusal = ConnectionError("Failed to connect to Ray cluster at 10.0.0.7:6379")
    assert "set RAY_AUTH_MODE=token" in ray_cluster.explain_refusal("10.0.0.7:6379", refusal)
    assert "RAY_AUTH_MODE" not in ray_cluster.explain_refusal("10.0.0.7:9", ConnectionRefusedError("refused"))
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert "RAY_AUTH_MODE" not in ray_cluster.explain_refusal("10.0.0.7:6379", refusal)
