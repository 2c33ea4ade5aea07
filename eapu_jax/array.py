r"""One array of cells: its state, and all that can be done to it.

`ArrayState` is the only truth of an array. What optax carries as parameters is its
read-out, $W = s\,E(G)$.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from eapu_jax import ledger as ledgers
from eapu_jax.checks import number, numbers, typed_key
from eapu_jax.crossbar import Crossbar, one_crossbar
from eapu_jax.devices.base import Pulses, Scalar
from eapu_jax.ledger import Ledger
from eapu_jax.placement import is_array
from eapu_jax.rows import add
from prng import unrolled


class ArrayState(NamedTuple):
    """What an array is at one moment.

    Attributes:
        cells: the cells as their device keeps them; a NamedTuple of arrays.
        scale: weight per conductance, 1/µS, as fitted at deployment.
        ledger: what happened so far.
    """

    cells: Any
    scale: Scalar
    ledger: Ledger


def deploy_one(
    key: Key[Array, ""], crossbar: Crossbar, w: Float[Array, "*weights"]
) -> ArrayState:
    """Fresh cells that stand for `w`, as near as their window allows.

    No write error: this is how an array begins. `write` onto it what must be
    programmed by pulses.
    """
    typed_key("key", key)
    one_crossbar(crossbar)
    dtype = working_dtype(w)
    scale = jnp.asarray(crossbar.fit(w.astype(dtype)), dtype)
    g = crossbar.encoding.to_cells(w.astype(dtype), scale)
    crossbar.check_stuck(g.shape)
    number("scale of the weights, as fitted (1/µS)", scale, above=0)
    if g.size:
        number("conductance that stands for one of the weights (µS)", g)
    cells = crossbar.device.init(unrolled(key), g)
    return ArrayState(cells, scale, ledgers.blank(g.shape))


def weights(crossbar: Crossbar, state: ArrayState) -> Float[Array, "*weights"]:
    """The weights that the cells stand for now, without read noise."""
    one_array(crossbar, state)
    g = crossbar.conductance(state.cells)
    return crossbar.encoding.to_weights(g, state.scale)


def read(
    key: Key[Array, ""], crossbar: Crossbar, state: ArrayState
) -> tuple[Float[Array, "*weights"], ArrayState]:
    """Read every cell once, with its noise; reads are counted.

    Differentiable in the constants of the device.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError, Crossbar
        >>> noisy = Crossbar(device=AdditiveError(read_noise=1.0), r_wg=1 / 80)
        >>> state = deploy_one(jax.random.key(0), noisy, jnp.zeros((200, 50)))
        >>> seen, state = read(jax.random.key(1), noisy, state)
        >>> bool(abs(seen.std() - 1 / 80) < 1e-3)
        True
    """
    typed_key("key", key)
    one_array(crossbar, state)
    g = crossbar.hold_stuck(crossbar.device.read(unrolled(key), state.cells))
    once = add(state.ledger.reads, jnp.array([0, 1], jnp.uint32))
    counted = state._replace(ledger=state.ledger._replace(reads=once))
    return crossbar.encoding.to_weights(g, state.scale), counted


def write(
    key: Key[Array, ""],
    crossbar: Crossbar,
    state: ArrayState,
    dw: Float[Array, "*weights"],
) -> tuple[ArrayState, Pulses]:
    """Ask the array to change its weights by `dw`; where 0, no cell is pulsed.

    Returns:
        The array as it then is, and the pulses that every cell got.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from eapu_jax import AdditiveError, Crossbar
        >>> crossbar = Crossbar(device=AdditiveError(write_noise=0.0), r_wg=0.5)
        >>> state = deploy_one(jax.random.key(0), crossbar, jnp.zeros((1, 2)))
        >>> state, pulses = write(
        ...     jax.random.key(1), crossbar, state, jnp.array([[0.0, 2.0]])
        ... )
        >>> weights(crossbar, state).tolist(), pulses.up.tolist()
        ([[0.0, 2.0]], [[False, True]])
    """
    typed_key("key", key)
    one_array(crossbar, state)
    _fits("dw", dw, weights(crossbar, state).shape)
    dg = request(crossbar, state, dw)
    cells, pulses = crossbar.device.write(unrolled(key), state.cells, dg)
    return ArrayState(cells, state.scale, ledgers.record(state.ledger, pulses)), pulses


def request(crossbar: Crossbar, state: ArrayState, dw: jax.Array) -> jax.Array:
    """The change of conductance that every cell is asked for, µS."""
    g = crossbar.conductance(state.cells)
    return crossbar.encoding.request(g, dw.astype(g.dtype), state.scale)


def advance(
    key: Key[Array, ""], crossbar: Crossbar, state: ArrayState, dt: Scalar
) -> ArrayState:
    """Let `dt` (s) pass: cells relax, drift, leak as their device does."""
    typed_key("key", key)
    number("dt", dt, at_least=0)
    one_array(crossbar, state)
    return state._replace(cells=crossbar.device.advance(unrolled(key), state.cells, dt))


def working_dtype(leaf: jax.Array) -> Any:
    """Conductances are kept in single precision at least.

    Raises:
        ValueError: on weights that are not floating point.
    """
    dtype = getattr(leaf, "dtype", type(leaf).__name__)
    if not is_array(leaf) or not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(
            f"weights w on the array must be floating point, got {dtype}: "
            "cast them, or keep them digital with a `place` of your own"
        )
    return jnp.dtype(jnp.float64 if leaf.dtype == jnp.float64 else jnp.float32)


def one_array(crossbar: Any, state: Any) -> None:
    """Refuse anything but one crossbar and the state of one array."""
    one_crossbar(crossbar)
    if not isinstance(state, ArrayState):
        raise ValueError(f"state must be an ArrayState, as of deploy, got {state!r}")


def _fits(name: str, dw: Any, shape: tuple[int, ...]) -> None:
    numbers(name, dw, dtype=jnp.floating)
    if dw.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {dw.shape}")


def fork(key: Key[Array, ""], purpose: int) -> Key[Array, ""]:
    """A key for one purpose of many."""
    return jr.fold_in(unrolled(key), purpose)
