"""The mean of a linear circuit that is driven from outside."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import checks
from thermo.circuits.drive import as_drive, at, check_drive
from thermo.exact.transition import doubled, halve, halved, taylor
from thermo.precision import full_precision, in_double

NODES = 6
"""Instants of an interval at which a drive is looked at. Between them it is taken as a
polynomial of degree 5: a sinusoid of 1 radian per interval is met to 1e-6."""

_roots, _ = np.polynomial.legendre.leggauss(NODES)
INSTANTS = (_roots + 1) / 2
"""The instants, as parts of the interval."""


class Response(NamedTuple):
    r"""What an interval does to the mean: $m' = P m + \sum_j W_j\,b(t + c_j\,dt)$.

    Attributes:
        change: $P - 1$, `(n, n)`.
        weights: $W_j$, `(nodes, n, n)`, µs.
    """

    change: jax.Array
    weights: jax.Array


@full_precision
def response(drift: jax.Array, dt: jax.Array | float) -> Response:
    r"""How a drive moves the mean of dx = (b(t) - F x) dt within an interval.

    $W_j = \int_0^{dt} e^{-F(dt-s)}\,\ell_j(s)\,\mathrm ds$ with the polynomials
    $\ell_j$ of the instants: right for a drive of degree 5, however stiff F is. On a
    short interval by quadrature, then doubled as `transition` is. Inputs are unchecked.
    """
    halvings, most = halve(drift, dt)
    short = halved(jnp.asarray(dt, drift.dtype), halvings)
    nodes, weights = np.polynomial.legendre.leggauss(2 * NODES)
    part, none = (nodes + 1) / 2, jnp.zeros_like(drift)

    def flow(left):
        return taylor(drift, none, left)[0] + jnp.eye(len(drift), dtype=drift.dtype)

    flows = jax.vmap(flow)(short * jnp.asarray(1 - part, drift.dtype))
    parts = jnp.asarray(_lagrange(part) * weights[:, None] / 2, drift.dtype)
    start = (
        taylor(drift, none, short)[0],
        short * jnp.einsum("sj,sab->jab", parts, flows),
    )
    halves = [jnp.asarray(_lagrange((INSTANTS + k) / 2), drift.dtype) for k in (0, 1)]

    def double(i, law):
        change, w = law
        early, late = (jnp.einsum("kj,kab->jab", half, w) for half in halves)
        new = doubled(change), early + change @ early + late
        return jax.tree.map(lambda a, b: jnp.where(i < halvings, a, b), new, law)

    return Response(*jax.lax.fori_loop(0, most, double, start))


@full_precision
def driven_mean(
    drift: jax.Array,
    drive: Any,
    ts: Float[Array, " time"] | np.ndarray,
    start: jax.Array | np.ndarray | None = None,
) -> Float[Array, "time n"]:
    r"""Mean of dx = (b(t) - F x) dt + noise at given instants.

    $\dot m = b(t) - F m$, step by step with the exact flow; a constant drive is exact,
    one that varies is taken as a polynomial of degree 5 in each interval. The noise
    does not enter, nor does the drive enter the covariance about this mean.

    Args:
        drift: F, `(n, n)`.
        drive: b, one number or `(n,)`, or a function of t in µs that returns them:
            `bias` or `drive` of a board's `LinearForm`.
        ts: instants, µs, increasing.
        start: mean at `ts[0]`, `(n,)`; None is at rest in the drive as it is there,
            $F^{-1} b$, which needs a stable drift.

    Returns:
        `(time, n)`, computed in double precision on concrete input.

    Raises:
        ValueError: if an argument is not of finite real numbers or of another shape,
            `ts` does not increase, or the drift is unstable and no start is given.

    Example:
        >>> import jax.numpy as jnp
        >>> drift, ts = jnp.eye(1), jnp.array([0.0, 1.0])
        >>> driven_mean(drift, lambda t: t, ts, jnp.zeros(1))[-1]  # t - 1 + exp(-t)
        Array([0.36787945], dtype=float32)
    """
    (checks.stable if start is None else checks.square)("drift", drift)
    checks.finite("drift", drift)
    check_drive("drive", drive, len(drift))
    checks.many("ts", ts)
    checks.finite("ts", ts)
    instants = checks.values("ts", ts)
    if instants is not None and np.any(np.diff(instants) <= 0):
        raise ValueError(f"ts = {instants!s:.60}: the instants must increase.")
    if start is not None:
        checks.finite("start", start)
        checks.shaped("start", start, (len(drift),), beside="drift")
    drive = as_drive(drive)
    named = {"drift": drift, "ts": ts, "start": start}
    if not callable(drive):
        named["drive"] = drive
    return in_double(lambda *a: _mean(*a[:3], a[3] if a[3:] else drive), **named)


@jax.jit
def _mean(drift, ts, start, drive):
    def b(t):
        return jnp.broadcast_to(at(drive, t, drift.dtype), drift.shape[:1])

    def step(m, instant):
        t, dt = instant
        change, weights = response(drift, dt)
        fed = jax.vmap(b)(t + dt * jnp.asarray(INSTANTS, drift.dtype))
        m = m + change @ m + jnp.einsum("jab,jb->a", weights, fed)
        return m, m

    first = jnp.linalg.solve(drift, b(ts[0])) if start is None else start
    _, later = jax.lax.scan(step, first, (ts[:-1], jnp.diff(ts)))
    return jnp.concatenate([first[None], later])


def _lagrange(part: np.ndarray) -> np.ndarray:
    """Each polynomial of the instants at other parts of the interval, `(k, nodes)`."""
    columns = []
    for j, own in enumerate(INSTANTS):
        others = np.delete(INSTANTS, j)
        columns.append(np.prod((part[:, None] - others) / (own - others), axis=1))
    return np.stack(columns, axis=1)
