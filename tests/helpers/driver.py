"""A program that answers as NVIDIA's driver does, for machines that have none."""

from pathlib import Path

import pytest

H200 = "NVIDIA H200, 143771, 580.65.06"


def install_driver(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Put an `nvidia-smi` that prints these lines first on the path."""
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
