"""The two tasks: samples of a Gaussian, and the inverse of a matrix."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from thermo import checks
from thermo.scaling.board import Board
from thermo.scaling.machine import Machine
from thermo.scaling.ready import Price, Scalar, require, same

__all__ = ["inversion", "samples_for", "sampling"]


def sampling(of: Board | Machine, d: Scalar, n_samples: Scalar) -> Price:
    """Time and energy of samples of a Gaussian.

    Args:
        of: a board or a digital machine, see there for the equation.
        d: dimensions.
        n_samples: N, independent ones.

    Returns:
        s and J, of the shape that `d` and `n_samples` make together.

    Raises:
        ValueError: naming what is neither, or not positive.

    Example:
        >>> found = sampling(Machine(), 100.0, 1e4)
        >>> f"{1e3 * float(found.seconds):.2f} ms, {float(found.joules):.2f} J"
        '0.21 ms, 0.06 J'
    """
    require("of", of, Board, Machine)
    for name, x in (("d", d), ("n_samples", n_samples)):
        checks.positive(name, x)
    of, d, n_samples = same(of, d=d, n_samples=n_samples)
    return of.sampling(d, n_samples)


def samples_for(d: Scalar, error: Scalar) -> Float[Array, "*many"]:
    r"""Independent samples for a covariance as exact as this: $(d+1)/\epsilon^2$.

    The root mean square of the relative error, in Frobenius norms, of N independent
    Gaussian samples is $\sqrt{(1 + (\mathrm{tr}\,\Sigma/|\Sigma|)^2)/N}$, which is
    largest, $\sqrt{(d+1)/N}$, if all eigenvalues are alike. DERIVED.

    Args:
        d: dimensions.
        error: relative.

    Raises:
        ValueError: naming what is not positive.

    Example:
        >>> f"{float(samples_for(8.0, 0.03)):.0f}"
        '10000'
    """
    for name, x in (("d", d), ("error", error)):
        checks.positive(name, x)
    d, error = same(d=d, error=error)
    return jnp.asarray((d + 1) / error**2)


def inversion(of: Board | Machine, d: Scalar, error: Scalar) -> Price:
    r"""Time and energy of the inverse of a symmetric matrix.

    A board takes the samples of `samples_for` and adds up their products, $N\,d(d+1)$
    operations, at its `accumulation_rate`: of the order of $d^3/\epsilon^2$, where a
    digital inverse takes $d^3$. DERIVED.

    Args:
        of: a board or a digital machine.
        d: dimensions.
        error: relative, of a board's inverse; a digital one is as exact as its
            numbers.

    Returns:
        s and J.

    Raises:
        ValueError: naming what is neither, or not positive.

    Example:
        >>> f"{float(inversion(Board(), 1000.0, 0.1).seconds):.2f} s"
        '0.11 s'
    """
    require("of", of, Board, Machine)
    n = samples_for(d, error)
    of, d, n = same(of, d=d, n=n)
    if isinstance(of, Machine):
        alone = of.inversion(d)
        return jax.tree.map(lambda x: jnp.broadcast_to(x, n.shape), alone)
    return jax.tree.map(jnp.add, of.sampling(d, n), of.accumulation(d, n))
