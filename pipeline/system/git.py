"""Ask git about the project."""

import subprocess


def run_git(*arguments: str) -> str | None:
    """Return what a git command prints, without spaces around it; None without git or a repository."""
    try:
        result = subprocess.run(["git", *arguments], capture_output=True, text=True, errors="replace", check=False)
    except OSError:
        return None
    return None if result.returncode else result.stdout.strip()
