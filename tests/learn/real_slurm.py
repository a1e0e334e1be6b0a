"""A Slurm cluster of two nodes on this machine, by its real daemons."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sinfo", "squeue", "scancel")
PATH = f"{os.environ['PATH']}:/usr/sbin"
"""Daemons lie where only root's shell looks."""
STARTS_S = 60.0
SECOND = "zz-elsewhere"
"""Behind any name in the alphabet, as it stands for no machine: the first one is where processes meet."""
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
NodeName={host} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 State=UNKNOWN
NodeName={second} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
"""


@dataclass(frozen=True)
class Slurm:
    """A cluster that takes jobs."""

    variables: dict[str, str]
    """By which its programs find it."""

    def ask(self, *command: str) -> str:
        """What one of Slurm's programs says, without an error if it fails."""
        done = subprocess.run(command, env=self.variables, capture_output=True, text=True)
        return (done.stdout or done.stderr).strip()


def why_not() -> str | None:
    """What this machine lacks; None where nothing."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=PATH) is None]
    if missing:
        return f"no {', '.join(missing)} here (apt-get install slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "Slurm's daemons want to be root"
    try:
        socket.gethostbyname(socket.gethostname())
    except OSError:
        return f"{socket.gethostname()}, the name of this machine, has no address by which daemons find each other"
    return None


@contextmanager
def running_cluster(folder: Path) -> Iterator[Slurm]:
    """Two nodes; the first is called as this machine, for its name is where processes meet."""
    host = socket.gethostname()
    (folder / "state").mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    configuration = folder / "slurm.conf"
    values = {"host": host, "second": SECOND, "ports": _free_ports(3), "user": getpass.getuser(), "folder": folder}
    configuration.write_text(CONFIGURATION.format(**values), encoding="utf-8")
    variables = {**os.environ, "PATH": PATH, "SLURM_CONF": str(configuration)}
    munge = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    munge += [f"--{name}-file={folder}/munge.{name}" for name in ("pid", "log", "seed")]
    daemons = [munge, ["slurmctld", "-D"], ["slurmd", "-D", "-N", host], ["slurmd", "-D", "-N", SECOND]]
    with ExitStack() as stack, (folder / "daemons.log").open("w") as log:
        for command in daemons:
            daemon = subprocess.Popen(command, env=variables, stdout=log, stderr=subprocess.STDOUT)
            stack.callback(_end, daemon)
            time.sleep(0.5)

        cluster = Slurm(variables)
        deadline = time.monotonic() + STARTS_S
        while (state := cluster.ask("sinfo", "-h", "-o", "%T %D")) != "idle 2":
            assert time.monotonic() < deadline, f"{state}\n{(folder / 'daemons.log').read_text()}"
            time.sleep(0.2)
        yield cluster


def _free_ports(num: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(num)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def _end(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    try:
        daemon.wait(10)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
