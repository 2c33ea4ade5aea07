"""Spare threads, without which an older jax can hang in batched linear algebra."""

import os
from collections.abc import MutableMapping

import jax

__all__ = ["spare_threads"]

MENDED = (0, 11, 2)
"""Version of jax from which a batch of factorisations no longer waits in its pool."""


def spare_threads(environment: MutableMapping[str, str] = os.environ) -> None:
    """Ask for more threads than there are batches of factorisations at any time.

    On a CPU a batch of matrices is factorised in pieces by a pool of one thread per
    core, and the call that waits for the pieces holds one of these threads itself.
    As many such calls at once as there are threads wait for ever. Jax reads the size
    of its pool, `NPROC`, before its first computation; a value that is set already
    stays. Like the number of cores it may change a rounding, since large products are
    shared out among the threads. Spare threads make other programs about a tenth
    slower, so whoever imports `thermo` asks for them, and nobody else.
    """
    if jax.__version_info__ < MENDED:
        environment.setdefault("NPROC", str(max(16, 8 * (os.cpu_count() or 1))))
