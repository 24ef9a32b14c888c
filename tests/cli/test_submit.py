"""thalweg submit: the files of jobs are valid, run what they should, and ask for what was asked."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.helpers.tiny_pipeline import TREE, write_params
from thalweg import cli
from thalweg.cli import submit
from thalweg.cli.submit import Job, build_file
from thalweg.system.dvc_command import run_dvc

SMALL, LARGE = Job(1, "", 0, 4, 60), Job(3, "H100", 2, 8, 90)
FAKES = {
    "scontrol": 'printf "one\\ntwo\\nthree\\n"',
    "srun": 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"',
    "getent": 'echo "10.0.0.7 STREAM $2"',
    "ray": 'echo "ray $*" >>log; echo "$RAY_AUTH_MODE $RAY_AUTH_TOKEN" >>tokens; exec sleep 60',
    "python": 'until [ "$(grep -c ^ray log)" = 2 ]; do sleep 0.1; done; echo "python $* $RAY_ADDRESS" >>log',
    "thalweg": 'echo "thalweg $* ${RAY_ADDRESS:-alone}" >>log; echo "$RAY_AUTH_MODE $RAY_AUTH_TOKEN" >>tokens; exit 3',
}
"""Programs of a cluster in a few words: each notes how it was called."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose folder has a name that a shell must be told of."""
    folder = tmp_path / "it's 'my' $study"
    folder.mkdir()
    monkeypatch.chdir(folder)
    write_params(TREE)
    return folder


def check_shell(text: str, shell: str) -> None:
    subprocess.run([shell, "-n"], input=text, text=True, check=True)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of a cluster that note how they were called, where `thalweg submit` finds those of Thalweg."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in FAKES.items():
        file = programs / name
        file.write_text(f"#!/bin/bash\n{text}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))


def run_script(text: str) -> list[str]:
    """Run a job of Slurm, which must end as `thalweg run` does; return what was called."""
    variables = {"SLURM_JOB_NODELIST": "n[1-3]", "SLURM_JOB_NUM_NODES": "3", "SLURM_CPUS_PER_TASK": "8"}
    Path("job.sh").write_text(text)
    script = str(Path("job.sh").resolve())
    done = subprocess.run(["bash", script], cwd="/", env=os.environ | variables, check=False, timeout=30)
    assert done.returncode == 3
    return Path("log").read_text().splitlines()


@pytest.mark.usefixtures("project", "cluster")
def test_slurm_runs_one_node_without_ray() -> None:
    text = build_file("slurm", SMALL, "job", has_remote=False)
    check_shell(text, "bash")
    assert "#SBATCH --nodes=1\n#SBATCH --ntasks-per-node=1\n#SBATCH --cpus-per-task=4\n#SBATCH --time=60\n" in text
    assert run_script(text) == ["thalweg run alone"]


@pytest.mark.usefixtures("project", "cluster")
def test_slurm_starts_ray_on_every_node() -> None:
    text = build_file("slurm", LARGE, "job", has_remote=False)
    check_shell(text, "bash")
    assert "#SBATCH --gpus-per-node=H100:2\n" in text
    *started, waited, ran = run_script(text)
    share = "--num-cpus=8 --num-gpus=2 --disable-usage-stats --block"
    assert sorted(started) == [
        f"ray start --address=10.0.0.7:6379 {share}",
        f"ray start --head --node-ip-address=10.0.0.7 --port=6379 {share}",
    ]
    assert waited == "python -P - 3 10.0.0.7:6379"
    assert ran == "thalweg run 10.0.0.7:6379"
    (token,) = set(Path("tokens").read_text().splitlines())  # Ray refuses who does not have that of its head
    assert re.fullmatch("token [0-9a-f]{64}", token)


def test_skypilot_asks_for_machines(project: Path) -> None:
    small = YAML(typ="safe").load(build_file("skypilot", Job(1, "", 0, 0, 0), "job", has_remote=False))
    assert small["workdir"] == str(project)
    assert (small["num_nodes"], small["resources"]) == (1, {"autostop": 10})
    assert "'thalweg[train]==" in small["setup"]
    assert "ray" not in small["run"]
    assert "push" not in small["run"]
    large = YAML(typ="safe").load(build_file("skypilot", LARGE, "job", has_remote=True))
    assert large["name"] == "thalweg-it-s-my-study"
    assert large["num_nodes"] == 3
    assert large["resources"] == {"accelerators": "H100:2", "cpus": "8+", "autostop": 10}
    assert "'thalweg[cuda12,ray]==" in large["setup"]
    assert "timeout --signal=INT 90m thalweg run\n" in large["run"]
    for part in (small["setup"], small["run"], large["setup"], large["run"]):
        check_shell(part, "bash")


@pytest.mark.usefixtures("project")
def test_ray_sends_the_project_without_caches() -> None:
    text = build_file("ray", Job(1, "", 0, 0, 30), "job", has_remote=True)
    check_shell(text, "sh")
    words = shlex.split(text, comments=True)
    excluded = json.loads(words[words.index("--runtime-env-json") + 1])["excludes"]
    assert {"/.git", "/.thalweg", "/.dvc/cache", "/.dvc/config.local", "/artifacts"} <= {*excluded}
    assert "/data" not in excluded
    check_shell(words[-1], "sh")
    assert "timeout --signal=INT 30m thalweg run; " in words[-1]


def test_checkout_is_installed_as_it_is(project: Path) -> None:
    (project / "thalweg").mkdir()
    (project / "thalweg" / "__init__.py").touch()
    assert submit.name_requirement(SMALL) == ".[train]"


@pytest.mark.usefixtures("project")
def test_job_is_written_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["submit", "slurm"]) == 0
    line = "job.sbatch: 1 node, with 4 cores, for 60 minutes (no --cores or --minutes said otherwise)"
    assert capsys.readouterr().out == f"{line}; look it over, then start it: sbatch job.sbatch\n"
    assert cli.main(["submit", "slurm", "--gpus", "a100"]) == 2
    assert "job.sbatch: is there already" in capsys.readouterr().err
    assert cli.main(["submit", "slurm", "--out", "-"]) == 0
    assert capsys.readouterr().out == Path("job.sbatch").read_text()


@pytest.mark.usefixtures("project")
def test_nodes_with_ray_are_described(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray")
    write_params({**TREE, "engine": {"launcher": "ray"}})
    assert cli.main(["submit", "slurm", "--nodes", "2", "--gpus", "H100:8", "--cores", "32"]) == 0
    asked = "2 nodes, each with 32 cores and 8 H100, for 60 minutes (no --minutes said otherwise)"
    assert capsys.readouterr().out.startswith(f"job.sbatch: {asked}; ")
    assert cli.main(["submit", "ray"]) == 2
    assert ".dvc/config, which the job gets, has none" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_job_has_the_remote_of_the_project_alone() -> None:
    assert not submit.has_sent_remote()
    run_dvc("init", "--no-scm", "--quiet")
    run_dvc("remote", "add", "--local", "--default", "mine", "/mine")
    assert not submit.has_sent_remote()
    run_dvc("remote", "add", "--default", "ours", "/ours")
    assert submit.has_sent_remote()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "slurm --nodes 2",
            "2 nodes train together only with the line `engine: {launcher: ray}`; add it to params.yaml",
        ),
        ("slurm --nodes 0", "--nodes: must be at least 1, not 0"),
        ("slurm --gpus 0", 'must be a number, a type or both, such as H100:4, not "0"'),
        ("skypilot --gpus 2", "needs the type, too, such as H100:2"),
        ("ray --nodes 2 --cores 4", "the cluster has its machines already; leave out --nodes, --cores"),
        ("ray", "a job of Ray needs the line `engine: {launcher: ray}`; add it to params.yaml"),
    ],
)
@pytest.mark.usefixtures("project")
def test_mistakes_are_named(arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["submit", *arguments.split()]) == 2
    assert message in capsys.readouterr().err
    assert [file.name for file in Path().glob("job*")] == []


@pytest.mark.usefixtures("project")
def test_params_must_be_good(capsys: pytest.CaptureFixture[str]) -> None:
    write_params({**TREE, "seed": "many"})
    assert cli.main(["submit", "slurm"]) == 2
    assert "params.yaml" in capsys.readouterr().err
    assert not Path("job.sbatch").exists()
