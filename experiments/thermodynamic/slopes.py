"""How far the covariance moves when one component does."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import exact
from thermo.circuits import RLCBoard


def slopes(
    board: RLCBoard, target: Float[Array, "d d"], rc: float
) -> dict[str, Float[Array, " components"]]:
    """Relative change of the covariance per relative change of each component.

    Norms of derivatives, by forward differentiation. Coil resistance counts in units
    of R, which is `rc` in kOhm where a cell has 1 nF.

    Args:
        board: nominal.
        target: its covariance, V^2.
        rc: of a cell alone, us.

    Returns:
        By kind: `(d,)` per cell; "capacitors" in the order of `np.triu_indices(d)`,
        those to ground on the diagonal.
    """
    d = len(target)
    rows, columns = np.triu_indices(d)

    def covariance(x):
        off = jnp.zeros((d, d)).at[rows, columns].set(x["capacitors"])
        factor = 1 + off + jnp.triu(off, 1).T
        changed = replace(
            board,
            ground_capacitance=board.ground_capacitance * jnp.diagonal(factor),
            coupling=board.coupling * factor,
            resistance=board.resistance * (1 + x["resistors"]),
            inductance=board.inductance * (1 + x["coils"]),
            noise=board.noise * (1 + x["noise power"]),
            coil_resistance=rc * x["coil resistance"],
        )
        form = changed.linear()
        state = exact.lyapunov(form.drift, form.diffusion)
        return form.readout @ state @ form.readout.T

    kinds = ("resistors", "coils", "noise power", "coil resistance")
    still = {k: jnp.zeros(d) for k in kinds}
    still["capacitors"] = jnp.zeros(len(rows))
    size = jnp.linalg.norm(target)
    moved = jax.jacfwd(covariance)(still)
    return {k: jnp.linalg.norm(j, axis=(0, 1)) / size for k, j in moved.items()}
