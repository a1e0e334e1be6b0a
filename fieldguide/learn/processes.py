"""Several processes that train together, on one machine or many, each on an accelerator or a share of the cores.

torchrun or srun start them; else the first one starts the others by its own command line, as `devices` says. They meet
through Lightning Fabric (NCCL on accelerators, gloo on CPUs). One that ends takes all with it.
"""

import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import distributed, nn

from fieldguide.errors import FieldguideError, ParamsError, TrainingError
from fieldguide.learn.device import alone_on_device, choose_precision, reproducible
from fieldguide.learn.devices import count_devices
from fieldguide.learn.params import Precision
from fieldguide.process_group import ProcessGroup, find_process_group

STARTER = "FIELDGUIDE_STARTED_BY"
"""Environment variable: the id of the process that started this one to train with it."""
LAST_WORDS_S = 10.0
"""How long the others are waited for at the end, and how long a lost one may go unnoticed."""
PATIENCE = timedelta(days=7)
"""How long one process may work while others wait, as for the teachers' answers; one that died is noticed at once."""

FIRST_PORT, NUM_PORTS, STEPS_APART = 15_000, 10_000, 16
"""Of the ports at which steps of Slurm meet; neighbouring jobs have as many between them."""


@contextmanager
def joined_processes(devices: int | Literal["auto"], precision: Precision, workers: int) -> Iterator[Fabric]:
    """A Fabric on this process's device that knows the others; deterministic algorithms are in force inside.

    `devices` counts only where nobody else started several processes. Raises ParamsError for more processes than there
    are devices, TrainingError if another process ended.
    """
    group = find_process_group()
    others: list[subprocess.Popen[bytes]] = []
    if group.size == 1 and (num := count_devices(devices)) > 1:
        group = ProcessGroup(0, num, 0, num)
        others = _start_others(group)
    with reproducible(workers, group.local_size), _ended_together(others):
        if group.size == 1:
            yield alone_on_device(precision)
            return
        fabric = _join(group, precision)
        try:
            yield fabric
        except FieldguideError:
            _leave_if_told(group)
            raise
        except RuntimeError as error:
            if not _is_lost(error):
                raise
            if group.number:
                sys.exit(1)
            raise TrainingError(
                f"one of the {group.size} processes that train together has ended; its own message says why"
            ) from None
        finally:
            distributed.destroy_process_group()


def _start_others(group: ProcessGroup) -> list[subprocess.Popen[bytes]]:
    """Start all but the first, which this one becomes, by the command line that started this one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(probe.getsockname()[1])}
    others = []
    for number in range(1, group.size):
        place = ProcessGroup(number, group.size, number, group.local_size)
        variables = {**os.environ, **meeting, **place.variables(), STARTER: str(os.getpid())}
        others.append(subprocess.Popen([sys.executable, *sys.orig_argv[1:]], env=variables))
    os.environ.update(meeting | group.variables())
    return others


def _join(group: ProcessGroup, precision: Precision) -> Fabric:
    _end_with_starter()
    if torch.cuda.is_available() and group.local_size > (there_are := torch.cuda.device_count()):
        raise ParamsError(
            f"{group.local_size} processes train on this machine, but each sees {there_are} accelerators; expected "
            "that each sees all, one for each of them"
        )
    if "RANK" not in os.environ and "," in (tasks := os.environ.get("SLURM_STEP_TASKS_PER_NODE", "")):
        raise ParamsError(f"srun has {tasks} tasks on its machines; expected as many on each (--ntasks-per-node)")
    os.environ.update(group.variables())
    if "MASTER_ADDR" not in os.environ:
        os.environ.update(_meet_as_step())
    fabric = Fabric(
        accelerator="auto",
        devices=group.local_size,
        num_nodes=group.size // group.local_size,
        strategy=_Together(timeout=PATIENCE, cluster_environment=TorchElasticEnvironment()),
        precision=choose_precision(precision),
    )
    # Fabric would tell everyone, in five lines, that it begins.
    logging.disable(logging.INFO)
    try:
        fabric.launch()
    finally:
        logging.disable(logging.NOTSET)
    return fabric


def _meet_as_step() -> dict[str, str]:
    """Where the processes of a step of srun meet: on its first machine, at a port of the step's own.

    Only Lightning's reading of a list of nodes is used: its environment refuses `srun --ntasks`, and gives all steps
    of a job the same port.
    """
    nodes = os.environ.get("SLURM_STEP_NODELIST", "127.0.0.1")
    job, step = (int(os.environ.get(f"SLURM_{name}_ID", 0)) for name in ("JOB", "STEP"))
    port = FIRST_PORT + (STEPS_APART * job + step) % NUM_PORTS
    address = SLURMEnvironment.resolve_root_node_address(nodes)
    return {"MASTER_ADDR": address, "MASTER_PORT": os.environ.get("MASTER_PORT", str(port))}


class _Together(DDPStrategy):
    """The process group of Fabric's DDP; modules stay as they are, as collectives.py sums their gradients."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._backward_sync_control = None  # backward sends nothing

    def setup_module(self, module: nn.Module) -> nn.Module:  # type: ignore[override]
        return module


@contextmanager
def _ended_together(others: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """The processes that this one started end with the block, and it with them if one fails and nobody notices."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            if any(other.poll() for other in others) and not over.wait(LAST_WORDS_S):
                # Python cannot interrupt a meeting that the lost one will never come to.
                os._exit(1)

    if others:
        threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
        deadline = time.monotonic() + LAST_WORDS_S
        for other in others:
            try:
                other.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                other.kill()
                other.wait()


def _end_with_starter() -> None:
    """Have the kernel end this process with the one that started it: it might wait for it for ever."""
    if starter := os.environ.get(STARTER):
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != int(starter):
            sys.exit(1)


def _leave_if_told(group: ProcessGroup) -> None:
    """Leave without a word if another process has told what went wrong: what fails alike is told by the first one."""
    if group.number:
        time.sleep(1)
    if not _note_failure() and group.number:
        sys.exit(1)
    if group.number == 0:
        # The others ask it whether it has told; then it may go.
        time.sleep(2)


def _note_failure() -> bool:
    """Whether this process is the first that failed."""
    try:
        return int(distributed.distributed_c10d._get_default_store().add("failed", 1)) == 1
    except RuntimeError:
        # The first one kept the count, and is gone.
        return False


def _is_lost(error: RuntimeError) -> bool:
    """Whether a message to another process could not be sent or received."""
    return isinstance(error, distributed.DistError) or "gloo" in str(error)
