"""What a generated sample takes, by the published prices of single updates."""

from dataclasses import dataclass

import jax
from jaxtyping import Array, Float

from thermo import checks
from thermo.counts import check_count

__all__ = ["Prices", "sample_energy"]

Scalar = jax.Array | float
LEFT_OUT = "host, cooling, standby, moving data, and quality"


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Prices:
    """Of one cell, J; SPICE before silicon (STATED-2nd: a ledger of arXiv 2608.01615).

    Attributes:
        update: of one spin by Gibbs sampling (7.09 fJ); an earlier model of the same
            group, its parts added up, comes to about 1.3 fJ (RECALLED).
        read: of one spin (1.69 pJ).
        write: of one cell's parameters (153.6 pJ; INFERRED: of one cell).
    """

    update: Scalar = 7.09e-15
    read: Scalar = 1.692e-12
    write: Scalar = 153.6e-12


def sample_energy(
    prices: Prices,
    *,
    n_steps: int,
    n_spins: int,
    n_visible: int,
    sweeps: int,
    samples_per_write: Scalar = float("inf"),
) -> Float[Array, ""]:
    r"""Energy of one sample, J: $T\,(KN e_u + N_v e_r + N e_w / M)$.

    Each of T machines updates its N spins K times and is read once; if one die serves
    all steps it is written anew for each, once for M samples. Left out: `LEFT_OUT`.

    Args:
        prices: of updates, reads and writes.
        n_steps: T.
        n_spins: N.
        n_visible: N_v.
        sweeps: K.
        samples_per_write: M; infinite if every machine keeps its own cells.

    Raises:
        ValueError: naming what is no price or number.

    Example:
        >>> of = {"n_steps": 8, "n_spins": 4900, "n_visible": 784, "sweeps": 250}
        >>> f"{1e9 * float(sample_energy(Prices(), **of)):.0f} nJ"
        '80 nJ'
    """
    if not isinstance(prices, Prices):
        raise ValueError(f"prices = {prices!r:.80}: must be Prices.")
    for name in ("update", "read", "write"):
        checks.one_number(name, getattr(prices, name))
        checks.non_negative(name, getattr(prices, name))
    sizes = {"n_steps": n_steps, "n_spins": n_spins, "sweeps": sweeps}
    for name, count in sizes.items():
        check_count(name, count)
    check_count("n_visible", n_visible)
    checks.one_number("samples_per_write", samples_per_write)
    checks.positive("samples_per_write", samples_per_write, infinite=True)
    of_one = sweeps * n_spins * prices.update + n_visible * prices.read
    return jax.numpy.asarray(
        n_steps * (of_one + n_spins * prices.write / samples_per_write)
    )
