"""The wheel of this working tree, installed into an environment of its own, away from the repository."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import thalweg
from tests.helpers.clone import Clone
from tests.helpers.paths import ROOT

PARTS = ("pipeline/", "models/", "presets/", "thalweg", "pyproject.toml", "README.md", "LICENSE")
"""What a wheel is built from."""
AWAY = {name: value for name, value in Clone.environment().items() if name != "PYTHONPATH"}
"""The environment of a shell that knows nothing of the repository."""


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel: the folder of its programs, and the names of the files in the wheel."""

    bin: Path
    names: frozenset[str]

    def run(self, folder: Path, *command: str) -> str:
        """Return the output of a command that must succeed, in a folder."""
        done = self.attempt(folder, *command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def attempt(self, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment in a folder."""
        path = os.pathsep.join([str(self.bin), "/usr/bin", "/bin"])
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=folder,
            env=AWAY | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )


def list_tracked_files() -> list[str]:
    """Return the files of the working tree that git has, or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in listed if name and os.path.lexists(ROOT / name)]


def install_wheel(folder: Path, version: str | None = None) -> Installed:
    """Build the wheel, as of another version if one is given, and install it below a folder.

    The other packages are those of the environment that the tests run in.
    """
    project, environment = folder / "project", folder / "environment"  # setuptools leaves a folder `build` behind
    for name in list_tracked_files():
        if name.startswith(PARTS):
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_symlink():
                (project / name).symlink_to((ROOT / name).readlink())
            else:
                (project / name).write_bytes((ROOT / name).read_bytes())
    if version is not None:
        file = project / "pipeline" / "system" / "version.py"
        text = file.read_text()
        file.write_text(text.replace(f'"{thalweg.__version__}"', f'"{version}"'))
    pip = [sys.executable, "-m", "pip"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(project)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = environment / "bin" / "python"
    install = [*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, env=AWAY, check=True, capture_output=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)})
    # a line of a .pth file adds a folder, but not the .pth files in it, among them that of the editable installation
    Path(packages, "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(environment / "bin", frozenset(zipfile.ZipFile(wheel).namelist()))
