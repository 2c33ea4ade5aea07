"""Many chips at once, over all local devices, in bounded memory.

Chips are dealt into blocks of a fixed size; every device computes one block at
a time with the same compiled program. So a chip's bits depend on the block
size, never on how many devices there are: what holds, and is tested, is that
one and two CPU devices give identical results. Another block size, another
machine or another version of jax may round differently.
"""

import numbers
from collections.abc import Callable, Sequence
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

__all__ = ["blocks", "over_chips", "per_chip"]

_CHIP = "chip"
Axes = int | None | Sequence[int | None]
"""0: one entry per chip, None: the same for all; for all arguments, or for each."""


def per_chip(function: Callable, *, in_axes: Axes = 0, n_devices: int | None = None):
    """`jit(vmap(function))` with the chips shared out evenly over the devices.

    For a host loop over training steps: what comes back stays on its device and
    is taken up from there by the next call.

    Args:
        function: of one chip, built from jax.
        in_axes: 0 (one per chip) or None (the same for all), or a tuple with one
            of them per argument.
        n_devices: how many devices; must divide the number of chips. All local
            ones when None.
    """
    mesh = _mesh(n_devices or len(jax.local_devices()))

    def many(*args):
        axes = _axes(in_axes, len(args))
        specs = tuple(PartitionSpec(_CHIP) if a == 0 else PartitionSpec() for a in axes)
        mapped = jax.vmap(function, in_axes=axes)
        return jax.shard_map(
            mapped,
            mesh=mesh,
            in_specs=specs,
            out_specs=PartitionSpec(_CHIP),
            check_vma=False,
        )(*args)

    return jax.jit(many)


def over_chips(function: Callable, *, in_axes: Axes = 0, chunk: int = 8):
    """`vmap(function)` over any number of chips, `chunk` of them at a time and device.

    The number of chips need not be a multiple of anything: the last block is
    filled up with copies that are thrown away.

    Args:
        function: of one chip, built from jax; compiled once.
        in_axes: as in `per_chip`; at least one argument must be per chip.
        chunk: chips per device and call. It bounds the memory. 8 suits networks
            of thousands of weights and small populations; 64 tiny networks.

    Returns:
        A function of the same arguments whose results are NumPy arrays with a
        leading chip axis.

    Example:
        >>> over_chips(lambda x, y: x + y, in_axes=(0, None))(jnp.arange(3.0), 1.0)
        array([1., 2., 3.], dtype=float32)
    """
    whole = isinstance(chunk, numbers.Integral) and not isinstance(chunk, bool)
    if not whole or chunk < 1:
        raise ValueError(f"chunk = {chunk!r}: at least 1, a whole number")
    compiled = cache(
        lambda n_devices: per_chip(function, in_axes=in_axes, n_devices=n_devices)
    )

    def many(*args):
        axes = _axes(in_axes, len(args))
        n_chips = _n_chips(args, axes)
        size = min(chunk, n_chips)
        n_devices = min(len(jax.local_devices()), -(-n_chips // size))
        results = []
        for block in blocks(n_chips, size * n_devices):
            part = [
                jax.tree.map(lambda leaf, b=block: leaf[b], arg) if axis == 0 else arg
                for arg, axis in zip(args, axes, strict=True)
            ]
            results.append(jax.device_get(compiled(n_devices)(*part)))
        return jax.tree.map(lambda *a: np.concatenate(a)[:n_chips], *results)

    return many


def blocks(n_chips: int, size: int) -> list[np.ndarray]:
    """Indices of the chips of each block; the last one repeats its last chip.

    Example:
        >>> [block.tolist() for block in blocks(5, 3)]
        [[0, 1, 2], [3, 4, 4]]
    """
    starts = range(0, n_chips, size)
    return [np.minimum(np.arange(s, s + size), n_chips - 1) for s in starts]


@cache
def _mesh(n_devices: int) -> Mesh:
    devices = jax.local_devices()
    if not 1 <= n_devices <= len(devices):
        raise ValueError(f"n_devices = {n_devices}: 1 to {len(devices)} are here")
    return Mesh(np.array(devices[:n_devices]), (_CHIP,))


def _axes(in_axes: Axes, n_args: int) -> tuple[int | None, ...]:
    axes = (in_axes,) * n_args if not isinstance(in_axes, Sequence) else tuple(in_axes)
    if len(axes) != n_args or any(axis not in (0, None) for axis in axes):
        raise ValueError(f"in_axes = {in_axes}: 0 or None for each of {n_args}")
    return axes


def _n_chips(args, axes) -> int:
    mapped = [arg for arg, axis in zip(args, axes, strict=True) if axis == 0]
    sizes = {jnp.shape(leaf)[0] for leaf in jax.tree.leaves(mapped)}
    if len(sizes) != 1 or 0 in sizes:
        raise ValueError(f"leading axes {sorted(sizes)}: one population size, above 0")
    return sizes.pop()
