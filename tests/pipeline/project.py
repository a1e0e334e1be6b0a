"""A DVC repository that tests work in: a clone of this one, or a miniature of it."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Project:
    """A repository and the environment its commands run in."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, check: bool = True) -> str:
        """What a command prints (stdout, then stderr); fails the test if the command does and `check` holds."""
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        # Files and no pipes: a daemon that the command leaves behind would hold a pipe open for as long as it lives.
        with TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
            finished = subprocess.run(
                command,
                cwd=self.root,
                env={**os.environ, **IDENTITY, "PATH": path, **self.env},
                stdout=stdout,
                stderr=stderr,
                check=False,
            )
            output = _read_from_start(stdout) + _read_from_start(stderr)
        assert finished.returncode == 0 or not check, f"{' '.join(command)} in {self.root}:\n{output[-5000:]}"
        return output

    def clone(self, to: Path) -> "Project":
        """A fresh clone: what Git holds, no outputs, an empty cache of its own, and the Node packages of this one."""
        subprocess.run(["git", "clone", "--quiet", str(self.root), str(to)], check=True)
        (to / "node_modules").symlink_to(ROOT / "node_modules")
        return Project(to, self.env)

    def clone_with_outputs(self, to: Path) -> "Project":
        """A fresh clone into which every output is pulled from the cache of this one."""
        project = self.clone(to)
        project.pull_from(self.root)
        return project

    def pull_from(self, repository: Path) -> None:
        """Take the outputs that are in the cache of another repository, whose layout is that of a remote."""
        self.run("dvc", "remote", "add", "--local", "--force", "neighbour", str(repository / ".dvc" / "cache"))
        self.run("dvc", "pull", "--quiet", "--remote", "neighbour", "--allow-missing")
        self.run("dvc", "remote", "remove", "--local", "neighbour")
        # The sample names its own remote, so DVC does not look for it in another.
        self.run("dvc", "pull", "--quiet", "data.dvc")

    def commit(self, message: str) -> None:
        """Commit every change to tracked and untracked files."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", message)


IDENTITY = {
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@localhost",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@localhost",
}


def _read_from_start(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def build_clone(to: Path) -> Project:
    """Clone HEAD of this repository and complete its outputs, from its cache or by running the stages."""
    project = Project(ROOT).clone(to)
    project.pull_from(ROOT)
    project.run("dvc", "repro")
    # Another processor trains other weights; clones of this clone must agree with its outputs.
    project.commit("Outputs as built here")
    return project
