"""Several processes, on one machine or on many, that fill one store together.

They share nothing but the folder: each takes its share of the chunks, then what
the others have left, and a chunk is the same whoever computes it. None of them
is needed by another, so each may be killed, the first too, and those that live
finish the work:

    srun -n 8 python -m experiments sweep NAME ...
    mpirun --enable-recovery -n 8 python -m experiments sweep NAME ...
    python -m experiments sweep NAME ... --process 0/2    # and 1/2 elsewhere

(Without `--enable-recovery` it is mpirun that ends all when one dies; then the same
command continues.) In Kubernetes: an indexed job, a volume that all pods mount, and
`--process $(JOB_COMPLETION_INDEX)/8`.

A program that has started `jax.distributed` finds its place there. But jax then
ends every process when number 0 dies, and by default when any does: the same
command continues, no survivor does. So nothing here starts it.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax

__all__ = ["Place", "changes", "own_device", "place"]

_LAUNCHERS = (  # index, number of processes, index on this machine
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"),
)


@dataclass(frozen=True)
class Place:
    """Which of how many processes this is.

    Attributes:
        index: from 0.
        count: of all processes.
    """

    index: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read `INDEX/COUNT`.

        Example:
            >>> Place.parse("1/4")
            Place(index=1, count=4)
        """
        index, slash, count = text.partition("/")
        if not (slash and index.isdecimal() and count.isdecimal()):
            raise ValueError(f"process = {text!r}: expected INDEX/COUNT, such as 0/4")
        return cls(int(index), int(count))

    def __post_init__(self):
        if not 0 <= self.index < self.count:
            raise ValueError(
                f"process = {self.index}/{self.count}: the index is 0 to COUNT - 1"
            )


def place(environment: Mapping[str, str] = os.environ) -> Place:
    """This process among those that were started together.

    A running `jax.distributed` tells; else the variables that Open MPI, MPICH,
    Intel MPI and Slurm's `srun` set, and those of an indexed job of Kubernetes.
    There the number is not among them: it is taken as the smallest that fits,
    which costs some work done twice. `process=` says it.

    Example:
        >>> place({"SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "8"})
        Place(index=2, count=8)
        >>> place({})
        Place(index=0, count=1)
    """
    if environment is os.environ and jax.distributed.is_initialized():
        return Place(jax.process_index(), jax.process_count())
    for index, count, _ in _LAUNCHERS:
        if index in environment and count in environment:
            return Place(int(environment[index]), int(environment[count]))
    if "KUBERNETES_SERVICE_HOST" in environment:
        index = int(environment.get("JOB_COMPLETION_INDEX", "0"))
        several = "JOB_COMPLETION_INDEX" in environment
        return Place(index, max(index + 1, 1 + several))
    return Place()


def own_device(environment: Mapping[str, str] = os.environ) -> int | None:
    """Take one accelerator of this machine, as its other processes do theirs.

    To be called before anything is computed. Nothing is done where the launcher
    has dealt them out (`CUDA_VISIBLE_DEVICES`), or put one process on a machine.

    Returns:
        Its number, if one was taken.
    """
    if "CUDA_VISIBLE_DEVICES" in environment or not _crowded(environment):
        return None
    local = (environment[n] for _, _, n in _LAUNCHERS if n in environment)
    number = int(next(local))
    jax.config.update("jax_cuda_visible_devices", str(number))
    return number


def changes(number: Callable[[], int], patience: float, pause: float = 0.1) -> bool:
    """Wait for a number to change; False if it has not within `patience` seconds."""
    first, since = number(), time.monotonic()
    while number() == first:
        if time.monotonic() - since > patience:
            return False
        time.sleep(pause)
    return True


def _crowded(environment: Mapping[str, str]) -> bool:
    """Whether the launcher has put several processes on this machine."""
    here = environment.get("OMPI_COMM_WORLD_LOCAL_SIZE") or environment.get(
        "MPI_LOCALNRANKS", "1"
    )
    tasks = environment.get("SLURM_STEP_NUM_TASKS", "1")
    nodes = environment.get("SLURM_STEP_NUM_NODES", "1")
    return int(here) > 1 or int(tasks) > int(nodes)
