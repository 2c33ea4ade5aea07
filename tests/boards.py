"""Random boards to state laws about."""

import jax.numpy as jnp
import numpy as np

from thermo import RLCBoard


def random_board(seed=0, d=3, temperature=None, **fields):
    """Cells that all differ; in thermal equilibrium if a temperature is given."""
    rng = np.random.default_rng(seed)
    half = np.triu(rng.uniform(0, 0.2, (d, d)), 1)
    values = {
        "ground_capacitance": rng.uniform(0.8, 1.2, d),
        "coupling": half + half.T,
        "inductance": rng.uniform(0.3, 3.0, d),
        "resistance": rng.uniform(0.5, 3.0, d),
        "noise": rng.uniform(0.5, 2.0, d),
        **fields,
    }
    if temperature is not None:
        values["noise"] = temperature / values["resistance"]
    leaves = {name: jnp.asarray(value, float) for name, value in values.items()}
    return RLCBoard(**leaves)


def random_stable(seed=0, n=4):
    """A drift far from normal, and a noise of rank 2."""
    rng = np.random.default_rng(seed)
    drift = np.diag(np.linspace(1, 2, n)) + 2 * np.triu(rng.normal(size=(n, n)), 1)
    factor = rng.normal(size=(n, 2))
    return jnp.asarray(drift, float), jnp.asarray(factor @ factor.T, float)
