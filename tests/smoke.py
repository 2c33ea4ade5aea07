"""What an installed wheel must do: run in an environment that has nothing else."""

from pathlib import Path

import jax
import jax.numpy as jnp
import optax

import chipsweep
import eapu_jax as ej
import eapu_jax.cost
import thermo


def main() -> None:
    """Train, invert and sweep, each a little."""
    crossbar = ej.Crossbar(device=ej.AdditiveError(write_noise=2.0), r_wg=1 / 80)
    gate = ej.eapu(2 / 80, key=jax.random.key(0))
    tx = optax.chain(
        optax.adam(1e-3), gate, ej.program(crossbar, key=jax.random.key(1))
    )
    w = jnp.zeros((16, 4))
    _, state = jax.jit(tx.update)(jnp.ones_like(w), tx.init(w), w)
    assert 0 <= ej.update_ratio(state) < 0.5
    assert (Path(eapu_jax.cost.__file__).parent / "constants.toml").exists()
    found = thermo.linalg.invert(jax.random.key(2), jnp.eye(2))
    assert jnp.all(abs(found.value - jnp.eye(2)) < 5 * found.standard_error + 0.1)
    swept = chipsweep.sweep(
        lambda point, chip, key: {"x": point.a + jax.random.normal(key)},
        {"a": [0.0, 1.0]},
        chips=3,
    )
    assert dict(swept.x.sizes).items() >= {"a": 2, "chip": 3}.items()
    assert ej.__version__ == thermo.__version__ == chipsweep.__version__
    print(
        "eapu-jax", ej.__version__, "jax", jax.__version__, "optax", optax.__version__
    )


if __name__ == "__main__":
    main()
