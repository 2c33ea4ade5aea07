"""Arrays whose axes are spread over devices by an explicit mesh."""

from typing import Any

import jax
from jax.sharding import NamedSharding, PartitionSpec


def gathered(leaves: dict[str, Any]) -> dict[str, Any]:
    """Every leaf whole on every device.

    A chip's cells are one buffer and its random draws are numbered through it, so
    that the numbers are those of a single device. Where a mesh is left to the
    compiler this happens by itself.
    """
    return {path: _whole(leaf) for path, leaf in leaves.items()}


def spread_like(leaves: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    """Each result spread over devices as the leaf of its path."""
    return {path: _spread(leaves[path], x) for path, x in results.items()}


def _explicit(leaf: Any) -> NamedSharding | None:
    sharding = getattr(jax.typeof(leaf), "sharding", None)
    if not isinstance(sharding, NamedSharding) or sharding.mesh.empty:
        return None
    return sharding if any(axis is not None for axis in sharding.spec) else None


def _whole(leaf: Any) -> Any:
    sharding = _explicit(leaf)
    if sharding is None:
        return leaf
    return jax.sharding.reshard(leaf, NamedSharding(sharding.mesh, PartitionSpec()))


def _spread(leaf: Any, result: Any) -> Any:
    sharding = _explicit(leaf)
    return result if sharding is None else jax.sharding.reshard(result, sharding)
