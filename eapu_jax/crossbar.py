"""Weights as conductances: what one array of cells is made of."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key, PyTree

from eapu_jax.checks import check, quantity, stuck_at, typed_key
from eapu_jax.devices import AdditiveError, Device
from eapu_jax.devices.base import Scalar
from prng import unrolled


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Crossbar:
    r"""An array of cells, and the scale between a weight and its conductance.

    $$ W = R_{wg}\, G $$

    $G$ is the conductance of a cell against a fixed reference, so it is signed.
    Whether the hardware uses one cell or a differential pair per weight is
    UNKNOWN; one write error per update fits either with one cell rewritten.

    Attributes:
        device: the model of every cell.
        r_wg: $R_{wg}$, weight per conductance, 1/µS. 1/80 is the value of the
            authors' public commands (STATED).
        stuck_at: conductance of every stuck cell, µS, and NaN where a cell is
            healthy; broadcasts to the cells. None: all are healthy.

    Example:
        >>> Crossbar(r_wg=1 / 80).conductance(0.5)
        40.0
    """

    device: Device = AdditiveError()
    r_wg: Scalar = quantity(1 / 80, above=0)
    stuck_at: jax.Array | None = None

    def conductance(self, weight):
        """The conductance that stands for `weight`, µS."""
        return weight / self.r_wg

    def weight(self, g):
        """The weight that conductance `g` (µS) stands for."""
        return g * self.r_wg

    def hold_stuck(self, g: Float[Array, "*cells"]) -> Float[Array, "*cells"]:
        """Put stuck cells where they are stuck, whatever was asked of them. µS."""
        if self.stuck_at is None:
            return g
        return jnp.where(jnp.isnan(self.stuck_at), g, self.stuck_at)


def is_on_array(leaf: Any) -> bool:
    """The paper's partition: weights of two or more axes live on the array.

    Biases, norms and scalars stay digital. STATED by the authors' code.

    Example:
        >>> import numpy as np
        >>> is_on_array(np.ones((4, 3))), is_on_array(np.ones(3))
        (True, False)
    """
    return jnp.ndim(leaf) >= 2


def array_mask(tree: PyTree) -> PyTree:
    """`is_on_array` of every leaf: the mask for `optax.masked` and friends."""
    return jax.tree.map(is_on_array, tree)


def read_weights(
    key: Key[Array, ""], crossbar: PyTree[Crossbar], params: PyTree
) -> PyTree:
    """The weights that the network sees: every cell read once, with its noise.

    Digital leaves come back as they are. Differentiable in `params` and in the
    constants of the device.

    Args:
        key: typed key of this read.
        crossbar: one crossbar, or a tree of them that is a prefix of `params`.
        params: the weights.

    Raises:
        ValueError: on a device constant out of bounds.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> noisy = Crossbar(device=AdditiveError(read_noise=1.0), r_wg=1 / 80)
        >>> w = {"kernel": jnp.zeros((200, 50)), "bias": jnp.zeros(50)}
        >>> seen = read_weights(jax.random.key(0), noisy, w)
        >>> bool(abs(seen["kernel"].std() - 1 / 80) < 1e-3), float(seen["bias"].sum())
        (True, 0.0)
    """
    typed_key("key", key)
    check_crossbars(crossbar)
    keys = optax.tree.split_key_like(unrolled(key), params)

    def read(key, w, crossbar):
        if not is_on_array(w):
            return w
        g = crossbar.conductance(w.astype(working_dtype(w)))
        return crossbar.weight(crossbar.device.read(key, g)).astype(w.dtype)

    return jax.tree.map(read, keys, params, spread_over(crossbar, params))


def spread_over(crossbar: PyTree[Crossbar], tree: PyTree) -> PyTree:
    """One crossbar per leaf of `tree`, from one crossbar or a prefix of them."""
    return jax.tree.broadcast(crossbar, tree, is_leaf=is_crossbar)


def check_crossbars(crossbar: PyTree[Crossbar]) -> None:
    """Refuse a concrete constant that is out of bounds, and strangers."""
    if crossbar is None:
        raise ValueError("crossbar must hold Crossbars only, got None")
    for one in jax.tree.leaves(crossbar, is_leaf=is_crossbar):
        if not is_crossbar(one):
            raise ValueError(f"crossbar must hold Crossbars only, got {one!r}")
        if not all(hasattr(one.device, can) for can in ("write", "read", "relax")):
            raise ValueError(
                f"Crossbar.device must be a device, AdditiveError(), got {one.device!r}"
            )
        check(one)
        stuck_at(one.stuck_at)


def is_crossbar(thing: Any) -> bool:
    """Whether `thing` is one crossbar."""
    return isinstance(thing, Crossbar)


def working_dtype(leaf: jax.Array) -> Any:
    """Conductances are kept in single precision at least."""
    if not jnp.issubdtype(leaf.dtype, jnp.floating):
        raise ValueError(
            f"weights on the array must be floating point, got {leaf.dtype}: "
            "cast them, or leave them out with optax.masked"
        )
    return jnp.dtype(jnp.float64 if leaf.dtype == jnp.float64 else jnp.float32)
