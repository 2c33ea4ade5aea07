"""In single precision the slowest mode of a board keeps its law beside fast ones."""

import jax.numpy as jnp
import numpy as np

import thermo


def test_a_slow_mode_beside_a_fast_one_keeps_its_variance():
    rates = np.array([1.0, 1e-7])  # 1/µs; a step of 0.1 µs moves the slow one by 1e-8
    with_x64 = thermo.LinearForm(
        drift=jnp.diag(jnp.asarray(rates, jnp.float32)),
        noise=jnp.diag(jnp.sqrt(2 * jnp.asarray(rates, jnp.float32))),
        readout=jnp.eye(2),
    )
    step = thermo.modes(with_x64, 0.1)
    decay = step.base + np.asarray(step.change, float)
    settled = np.asarray(step.kick, float) ** 2 / (1 - decay**2)
    np.testing.assert_allclose(settled, 1.0, rtol=1e-4)
