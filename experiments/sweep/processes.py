"""Several processes, on one machine or on many, that fill one store together.

They share nothing but the folder: each takes its share of the chunks, and a
chunk is the same whoever computes it. A process that has finished its share and
sees no progress elsewhere computes what is missing.
"""

import os
import time
from collections.abc import Callable

import jax

__all__ = ["join", "me", "wait"]


def join(
    coordinator: str | None = None,
    n_processes: int | None = None,
    index: int | None = None,
) -> bool:
    """Find the other processes of this job through `jax.distributed`.

    Call it before anything is computed. Without arguments, jobs of Slurm, Open
    MPI and Kubernetes are recognised.

    Args:
        coordinator: `host:port` of process 0.
        n_processes: their number.
        index: which one this is.

    Returns:
        Whether there are others.
    """
    if jax.distributed.is_initialized():
        return jax.process_count() > 1
    if coordinator is not None:
        jax.distributed.initialize(coordinator, n_processes, index)
        return True
    if not _launched(os.environ):
        return False
    jax.distributed.initialize()
    return jax.process_count() > 1


def me() -> tuple[int, int]:
    """Index of this process, and how many there are."""
    if not jax.distributed.is_initialized():
        return 0, 1
    return jax.process_index(), jax.process_count()


def wait(missing: Callable[[], int], patience: float, pause: float = 0.2) -> bool:
    """Wait until nothing is missing; False if for `patience` seconds none came."""
    least, since = missing(), time.monotonic()
    while least > 0:
        if time.monotonic() - since > patience:
            return False
        time.sleep(pause)
        now = missing()
        if now < least:
            least, since = now, time.monotonic()
    return True


def _launched(environment) -> bool:
    """Whether a launcher has started more than this process."""
    if (
        environment.get("KUBERNETES_SERVICE_HOST")
        and "JOB_COMPLETION_INDEX" in environment
    ):
        return True
    sizes = (
        environment.get(name, "1") for name in ("SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE")
    )
    return any(size.isdigit() and int(size) > 1 for size in sizes)
