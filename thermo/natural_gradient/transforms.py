"""The board as an optax transform: reset at every step, or left running."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, Key, PyTree, UInt32

from prng.checks import typed
from prng.derive import folded
from thermo import checks
from thermo.natural_gradient.equation import Scalar, check_damping, equation
from thermo.natural_gradient.relaxation import Euler, Modes, Relaxation
from thermo.precision import full_precision

EULER = Euler()
LAST = 2**31 - 1
"""At which the count of updates stays."""


class RelaxedState(NamedTuple):
    r"""What `relaxed` carries.

    Attributes:
        step: updates so far.
        key: words of the root key; update `n` draws from `fold_in(key, n)`.
        stiffness: $h \lambda / 2$ of the Euler step h and the Rayleigh quotient
            $\lambda$ of what pulled at the end of a run, the largest so far. Above 1
            the step is too long and the board blows up (NaN: it has); below 1 nothing
            is proven. 0 where there is no step.
    """

    step: Int[Array, ""]
    key: UInt32[Array, " words"]
    stiffness: Float[Array, ""]


class RunningState(NamedTuple):
    """What `running` carries.

    Attributes:
        step: updates so far.
        key: words of the root key.
        stiffness: see `RelaxedState`.
        board: the voltages that the next update finds, a tree like the weights.
    """

    step: Int[Array, ""]
    key: UInt32[Array, " words"]
    stiffness: Float[Array, ""]
    board: PyTree


def relaxed(
    time: Scalar,
    *,
    key: Key[Array, ""],
    damping: Scalar = 0.01,
    noise: Scalar = 0.0,
    relaxation: Relaxation = EULER,
) -> optax.GradientTransformationExtraArgs:
    r"""Thermodynamic natural gradient: what a board says after a while.

    $$ \mathrm dg = -(F g - \nabla\ell)\,\mathrm dt + \mathcal N[0, 2\kappa_0\,
       \mathrm dt], \qquad F = J^\mathsf T H_L J + \lambda 1, \qquad
       g(0) = \nabla\ell $$

    (STATED, arXiv 2405.13817). On average g is $e^{-Ft}(\nabla\ell - F^{-1}\nabla\ell)
    + F^{-1}\nabla\ell$: at t = 0 gradient descent, exactly; for t to infinity the
    natural gradient; between them flat directions are sped up to t times. Noise settles
    at the covariance $\kappa_0 F^{-1}$, which is largest where the loss is flat.
    Nothing raises while training: a board that blows up sends numbers that are not
    finite, and says why in `state.stiffness`.

    Args:
        time: t, in tau of the board, which is 1 µs at R = 1 kΩ, C = 1 nF (STATED).
            May be traced, as may be the other numbers.
        key: typed key of the noise.
        damping: $\lambda \ge 0$; 0.01 (STATED).
        noise: $\kappa_0 \ge 0$; up to 0.01 is harmless, 0.1 visible (STATED).
        relaxation: `Euler`, or `Modes` for few weights.

    Returns:
        A transform for `optax.chain(relaxed(...), optax.scale(-lr))`. Its `update`
        needs `curvature`: a product v -> G v without damping, between trees like the
        gradient, such as `gauss_newton(model, loss, params)` of the same batch. Under
        `optax.MultiSteps` the gradient is that of all batches, the curvature that of
        the last.

    Raises:
        ValueError: naming what is wrong with an argument; at `update`, if there is no
            curvature, or it is of another tree.
        TypeError: if `key` is not a typed key.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> flat_and_steep, gradient = jnp.array([0.1, 1.0]), jnp.array([1.0, 1.0])
        >>> for t in 0.0, 1.0, 100.0:
        ...     tx = relaxed(t, key=jax.random.key(0), damping=0.0)
        ...     product = lambda v: flat_and_steep * v
        ...     g, _ = tx.update(gradient, tx.init(gradient), curvature=product)
        ...     print([f"{x:.2f}" for x in g])
        ['1.00', '1.00']
        ['1.86', '1.00']
        ['10.00', '1.00']
    """
    board = _Board(time, key, damping, noise, relaxation)

    def init_fn(params):
        del params
        return RelaxedState(jnp.zeros((), jnp.int32), board.words(), jnp.zeros(()))

    @full_precision
    def update_fn(updates, state, params=None, *, curvature=None, **extra_args):
        del params, extra_args
        of = equation(curvature, updates, damping)  # pyright: ignore[reportArgumentType]
        found = board.run(state, of, of.gradient, time)
        return of.tree(found.voltages), RelaxedState(
            _following(state.step), state.key, _stiffer(state, found)
        )

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)


def running(
    time: Scalar,
    *,
    key: Key[Array, ""],
    delay: Scalar = 0.0,
    damping: Scalar = 0.01,
    noise: Scalar = 0.0,
    relaxation: Relaxation = EULER,
) -> optax.GradientTransformationExtraArgs:
    r"""The same board, never reset, with a digital side that takes its time.

    Its voltages are read after t under the curvature and gradient of this update; while
    the next are computed it relaxes on under these for the delay $t_d$, and goes on
    from there. The first update starts at its gradient. On average

    $$ g_k = e^{-F_k t} (h_{k-1} - F_k^{-1} b_k) + F_k^{-1} b_k, \qquad
       h_k = e^{-F_k t_d} (g_k - F_k^{-1} b_k) + F_k^{-1} b_k $$

    so a mode of rate f remembers earlier gradients by $e^{-f (t + t_d)}$ a step:
    momentum where the loss is flat, none where it is steep.

    That a delay acts as momentum does, and the delays 0, 0.2 and 1 tau, are STATED;
    that the board keeps its voltages meanwhile is INFERRED, as a delay changes nothing
    of a board that is reset.

    Args:
        time: t, tau.
        key: typed key of the noise.
        delay: $t_d \ge 0$, tau.
        damping: see `relaxed`.
        noise: see `relaxed`.
        relaxation: see `relaxed`.

    Returns:
        A transform as `relaxed`. A chip of it that has blown up stays so.

    Raises:
        ValueError: as `relaxed`.
        TypeError: as `relaxed`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> coarse = Euler(step=1.0)
        >>> tx = running(1.0, key=jax.random.key(0), damping=0.0, relaxation=coarse)
        >>> w, half = jnp.zeros(1), lambda v: v / 2
        >>> state = tx.init(w)
        >>> for _ in range(4):  # towards 2, by half of the way a step
        ...     g, state = tx.update(jnp.ones(1), state, curvature=half)
        ...     print(g)
        [1.5]
        [1.75]
        [1.875]
        [1.9375]
    """
    board = _Board(time, key, damping, noise, relaxation)
    relaxation.check("delay", delay)

    def init_fn(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        step = jnp.zeros((), jnp.int32)
        return RunningState(step, board.words(), jnp.zeros(()), zeros)

    @full_precision
    def update_fn(updates, state, params=None, *, curvature=None, **extra_args):
        del params, extra_args
        of = equation(curvature, updates, damping)  # pyright: ignore[reportArgumentType]
        start = jnp.where(state.step == 0, of.gradient, of.vector(state.board))
        found = board.run(state, of, start, time)
        later = board.run(state, of, found.voltages, delay, purpose=1)
        return of.tree(found.voltages), RunningState(
            _following(state.step),
            state.key,
            _stiffer(state, found),
            of.tree(later.voltages),
        )

    return optax.GradientTransformationExtraArgs(init_fn, update_fn)


class _Board:
    """What both have: checked numbers, and a key kept as words."""

    def __init__(self, time, key, damping, noise, relaxation):
        typed(key)
        if key.shape != ():
            raise ValueError(f"key has shape {key.shape}: it must be one key.")
        if not isinstance(relaxation, Euler | Modes):
            raise ValueError(
                f"relaxation = {relaxation!r:.60}: must be Euler(...) or Modes()."
            )
        relaxation.check("time", time)
        check_damping(damping)
        checks.one_number("noise", noise)
        checks.non_negative("noise", noise)
        self._key, self._noise, self._relaxation = key, noise, relaxation

    def words(self) -> UInt32[Array, " words"]:
        """A copy of the key for a state: checkpoints know plain arrays only."""
        return jnp.array(jr.key_data(self._key), copy=True)

    def run(self, state: Any, of: Any, start: jax.Array, time: Any, purpose: int = 0):
        """Relax with the draws of this update."""
        key = jr.wrap_key_data(state.key, impl=jr.key_impl(self._key))
        key = folded(folded(key, state.step, state.step), purpose, state.step)
        return self._relaxation.run(key, of, start, time, self._noise)


def _following(step: jax.Array) -> jax.Array:
    return jnp.minimum(step, LAST - 1) + 1


def _stiffer(state: Any, found: Any) -> jax.Array:
    return jnp.maximum(state.stiffness, found.stiffness.astype(jnp.float32))
