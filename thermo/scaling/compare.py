"""A board beside a digital machine: where it is faster, and what it may draw."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.scaling.board import Board
from thermo.scaling.machine import Machine
from thermo.scaling.ready import Price, Scalar, require, same
from thermo.scaling.tasks import inversion, sampling

__all__ = [
    "break_even_power",
    "crossover",
    "inversion_speedup",
    "speedup",
    "standby_budget",
]

HALVINGS = 60
"""Of an interval, beyond which nothing is left of double precision."""


def _require(board: Board, machine: Machine) -> None:
    require("board", board, Board)
    require("machine", machine, Machine)


def speedup(board: Board, machine: Machine, d: Scalar, n_samples: Scalar) -> Price:
    """How many times more the machine takes for samples: of time, and of energy.

    Args:
        board: that samples.
        machine: it is compared with.
        d: dimensions.
        n_samples: N.

    Raises:
        ValueError: naming what is no board or machine, or not positive.

    Example:
        >>> f"{float(speedup(Board(), Machine(), 1e4, 1e4).seconds):.1f}"
        '11.2'
    """
    _require(board, machine)
    board, machine, d, n = same(board, machine, d=d, n_samples=n_samples)
    ours, theirs = sampling(board, d, n), sampling(machine, d, n)
    return jax.tree.map(jnp.divide, theirs, ours)


def inversion_speedup(
    board: Board, machine: Machine, d: Scalar, error: Scalar
) -> Price:
    """The same for an inverse, which the board makes with an error.

    Args:
        board: that inverts.
        machine: it is compared with.
        d: dimensions.
        error: relative, of the board.

    Raises:
        ValueError: naming what is no board or machine, or not positive.
    """
    _require(board, machine)
    board, machine, d, error = same(board, machine, d=d, error=error)
    ours, theirs = inversion(board, d, error), inversion(machine, d, error)
    return jax.tree.map(jnp.divide, theirs, ours)


def crossover(board: Board, machine: Machine, n_samples: Scalar) -> Float[Array, ""]:
    r"""Dimensions above which the board samples faster; 0 if it does at all sizes.

    The difference of the two times is a cubic in d,

    $$ \frac{d^3}{3F_f} + \Bigl(\frac{2N}{F_p} - \frac{b}{2W}\Bigr)d^2
       + \Bigl(\frac N{F_n} - \frac bW\bigl(N + \tfrac12\bigr)\Bigr)d
       + t_0 - t_\mathrm{eq} - N\tau , $$

    positive in the end. Its largest root is beyond its least value if that is negative,
    and else before it; there the interval is halved. One step of Newton's method at
    the end carries the exact derivative by every constant. DERIVED.

    Args:
        board: that samples.
        machine: it is compared with.
        n_samples: N.

    Returns:
        A real number of dimensions, and not rounded.

    Raises:
        ValueError: naming what is no board or machine, or not positive.

    Example:
        >>> f"{float(crossover(Board(), Machine(), 1e4)):.0f}"
        '3052'
    """
    _require(board, machine)
    checks.interval("n_samples", n_samples)
    board, machine, n = same(board, machine, n_samples=n_samples)
    c = (
        1 / (3 * machine.factor_rate),
        2 * n / machine.product_rate - board.bits / (2 * board.channel_rate),
        n / machine.normal_rate - board.bits * (n + 0.5) / board.channel_rate,
        machine.overhead - board.settling - n * board.interval,
    )
    return _largest_root(*c)


def _largest_root(c3: Any, c2: Any, c1: Any, c0: Any) -> Array:
    """Of a cubic with c3 > 0, among positive numbers; 0 if it has none."""

    def value(x: Any) -> Any:
        return ((c3 * x + c2) * x + c1) * x + c0

    stay = jax.lax.stop_gradient
    bend = jnp.sqrt(jnp.maximum(stay(c2**2 - 3 * c3 * c1), 0))
    least = jnp.maximum((bend - stay(c2)) / (3 * stay(c3)), 0)
    sizes = jnp.abs(c2 / c3), jnp.sqrt(jnp.abs(c1 / c3)), jnp.cbrt(jnp.abs(c0 / c3))
    beyond = 2 * stay(jnp.stack(sizes).max(0))  # of all roots (Fujiwara's bound)
    falls = value(least) < 0
    ends = jnp.where(falls, least, 0), jnp.where(falls, beyond, least)

    def halve(_, between: Any) -> Any:
        low, high = between
        middle = (low + high) / 2
        below = value(middle) < 0
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, HALVINGS, halve, ends)
    root = stay((low + high) / 2)
    slope = stay((3 * c3 * root + 2 * c2) * root + c1)
    crosses = falls | (c0 < 0)
    polished = root - value(root) / jnp.where(crosses, slope, 1)
    return jnp.where(crosses, polished, 0)


def break_even_power(
    board: Board, machine: Machine, d: Scalar, n_samples: Scalar
) -> Float[Array, "*many"]:
    """The most that a board may draw, W, and take no more energy than the machine.

    It replaces `Board.power`: cells and converters are taken off; below 0 W these alone
    take more than the machine.

    Args:
        board: that samples.
        machine: it is compared with.
        d: dimensions.
        n_samples: N.

    Raises:
        ValueError: naming what is no board or machine, or not positive.

    Example:
        >>> f"{float(break_even_power(Board(), Machine(), 100.0, 1e4)):.1f} W"
        '6.0 W'
    """
    _require(board, machine)
    board, machine, d, n = same(board, machine, d=d, n_samples=n_samples)
    ours, theirs = sampling(board, d, n), sampling(machine, d, n)
    return (theirs.joules - ours.joules) / ours.seconds + board.power


def standby_budget(
    board: Board, machine: Machine, d: Scalar, n_samples: Scalar, rate: Scalar
) -> Float[Array, "*many"]:
    r"""The most that a board may draw between tasks, W, to draw no more on average.

    $$ s = \frac{I\,\max(1 - r\,t_m, 0) + r\,(E_m - E_b)}{1 - r\,t_b} $$

    for r tasks per second, with idle power I, times t and energies E of machine and
    board. At a low rate it is the idle power of the machine: what is saved in tasks
    does not count. No vendor publishes standby power. DERIVED.

    Args:
        board: that samples.
        machine: it is compared with; more than one if one cannot keep up.
        d: dimensions.
        n_samples: N of a task.
        rate: r, tasks per second.

    Returns:
        W; below 0 where no standby power is low enough, NaN where one board cannot do
        as many tasks.

    Raises:
        ValueError: naming what is no board or machine, or not positive.

    Example:
        >>> f"{float(standby_budget(Board(), Machine(), 1e4, 1e4, 1e-3)):.1f} W"
        '22.0 W'
    """
    _require(board, machine)
    checks.positive("rate", rate)
    board, machine, d, n, rate = same(
        board, machine, d=d, n_samples=n_samples, rate=rate
    )
    ours, theirs = sampling(board, d, n), sampling(machine, d, n)
    free = 1 - rate * ours.seconds
    waiting = machine.idle * jnp.maximum(1 - rate * theirs.seconds, 0)
    saved = rate * (theirs.joules - ours.joules)
    able = free > 0
    return jnp.where(able, (waiting + saved) / jnp.where(able, free, 1), jnp.nan)
