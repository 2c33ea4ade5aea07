"""One compiled program on all local devices, each with runs of its own."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

__all__ = ["mapped"]

_RUN = "run"


def mapped(function: Callable, n_devices: int) -> Any:
    """`jit(vmap(function))` with the runs shared out evenly over local devices.

    Args:
        function: of one run, built from jax.
        n_devices: how many; must divide the number of runs.
    """
    spec = PartitionSpec(_RUN)

    def many(*args):
        return jax.shard_map(
            jax.vmap(function),
            mesh=_mesh(n_devices),
            in_specs=(spec,) * len(args),
            out_specs=spec,
            check_vma=False,
        )(*args)

    return jax.jit(many)


@cache
def _mesh(n_devices: int) -> Mesh:
    devices = jax.local_devices()
    if not 1 <= n_devices <= len(devices):
        raise ValueError(
            f"devices must be from 1 to {len(devices)} here, got {n_devices}"
        )
    return Mesh(np.array(devices[:n_devices]), (_RUN,))
