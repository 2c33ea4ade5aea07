"""One run: one chip with one seed at one point, as a pure function of arrays."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Key

from chipsweep.frame import Runs
from chipsweep.point import BadFunction, Point
from chipsweep.spec import Group, Spec, fields_of


class Keys(NamedTuple):
    """What a run draws from.

    Attributes:
        seed: the same for all chips of a seed: starting weights, order of images.
        chip: of this chip with this seed: its hardware, its random draws.
    """

    seed: Key[Array, ""]
    chip: Key[Array, ""]


def keys_of(root: Key[Array, ""], seed: Any, chip: Any) -> Keys:
    """The keys of a run; chip 17 has its own, however many there are.

    Example:
        >>> import jax
        >>> a, b = (keys_of(jax.random.key(0), 1, chip) for chip in (0, 17))
        >>> bool(a.seed == b.seed), bool(a.chip == b.chip)
        (True, False)
    """
    for_seed, for_chips = jr.split(jr.fold_in(root, seed))
    return Keys(for_seed, jr.fold_in(for_chips, chip))


def replicate(spec: Spec, group: Group, **extra: Any) -> Callable:
    """`run(values, point, chip, seed)`: traced axes and three indices in, outputs out.

    The keys depend on seed and chip alone, unless the sweep gives each point its own.
    """
    base = fields_of(spec.base)
    both = [*inspect.signature(spec.function).parameters][2:3] == ["keys"]

    def run(values, point, chip, seed):
        root = jr.key(spec.key, impl="threefry2x32")
        root = root if spec.common else jr.fold_in(root, point)
        keys = keys_of(root, seed, chip)
        told = Point({**base, **group.structural, **values, "seed": seed}, spec.read)
        key = keys if both else keys.chip
        return _named(spec.function(told, chip, key, **extra))

    return run


def arguments(spec: Spec, runs: Runs) -> tuple[dict[str, np.ndarray], Any, Any, Any]:
    """The arguments of some runs, each with the run as leading axis."""
    values = {}
    for axis in spec.traced:
        kind = jax.dtypes.canonicalize_dtype(float)
        column = spec.layout.column(axis.name, runs.point)
        values[axis.name] = np.array(column, np.int32 if axis.integer else kind)
    chips, seeds = (np.asarray(x, np.int32) for x in (spec.chips, spec.seeds))
    point = runs.point.astype(np.int32)
    return values, point, chips[runs.chip], seeds[runs.seed]


def _named(outputs: Any) -> dict[str, jax.Array]:
    """The outputs of a function as a dict of arrays of dtypes that NumPy has."""
    if hasattr(outputs, "_asdict"):
        outputs = outputs._asdict()
    if not isinstance(outputs, Mapping) or not outputs:
        raise BadFunction(
            "the function must return a dict of arrays by name (or a NamedTuple), "
            f"got {type(outputs).__name__}"
        )
    found = {}
    for name, given in outputs.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise BadFunction(f"output {name!r}: the name must be an identifier")
        try:
            value = jnp.asarray(given)
        except TypeError:
            raise BadFunction(
                f"output {name!r} must be an array of numbers, got {given!r}"
            ) from None
        if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
            raise BadFunction(f"output {name!r} must be numbers, not a random key")
        found[name] = value.astype(jnp.float32) if value.dtype.kind == "V" else value
    return found
