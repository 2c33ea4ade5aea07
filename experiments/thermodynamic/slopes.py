"""How far the covariance moves when one component does."""

from dataclasses import replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from experiments.thermodynamic import errors
from thermo.circuits import RLCBoard


def slopes(
    board: RLCBoard, target: Float[Array, "d d"], rc: jax.Array | float
) -> dict[str, Float[Array, "..."]]:
    """Relative change of the covariance per relative change of each component.

    Norms of derivatives, by forward differentiation. Coil resistance counts in units
    of R, which is `rc` in kΩ where a cell has 1 nF.

    Args:
        board: nominal.
        target: its covariance, V^2.
        rc: of a cell alone, µs.

    Returns:
        By kind: `(d,)` per cell; of `capacitance` the upper triangle `(d, d)`, those
        to ground on the diagonal.
    """
    d = len(target)

    def covariance(x):
        off = jnp.triu(x["capacitance"])
        factor = 1 + off + jnp.triu(off, 1).T
        changed = replace(
            board,
            ground_capacitance=board.ground_capacitance * jnp.diagonal(factor),
            coupling=board.coupling * factor,
            resistance=board.resistance * (1 + x["resistance"]),
            inductance=board.inductance * (1 + x["inductance"]),
            noise=board.noise * (1 + x["noise"]),
            coil_resistance=rc * x["coil_resistance"],
        )
        return errors.settled(changed.linear())

    kinds = ("resistance", "inductance", "noise", "coil_resistance")
    still = {k: jnp.zeros(d) for k in kinds}
    still["capacitance"] = jnp.zeros((d, d))
    size = jnp.linalg.norm(target)
    moved = jax.jacfwd(covariance)(still)
    return {k: jnp.linalg.norm(j, axis=(0, 1)) / size for k, j in moved.items()}
