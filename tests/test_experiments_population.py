"""A chip's numbers do not depend on who computes beside it."""

import hashlib
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from experiments.population import blocks, over_chips, per_chip
from prng import unrolled

KEYS = jr.split(jr.key(1), 11)
SIGMAS = jnp.linspace(0.0, 0.1, 11)
INPUTS = jr.normal(jr.key(5), (16, 64))


def train(key, sigma, x):
    """A noisy descent: random numbers, products and reductions in a scan."""
    dice = jr.normal(unrolled(key), (6, 64, 32))

    def step(w, noise):
        slope = jax.grad(lambda w: jnp.mean(jnp.tanh(x @ w) ** 2))(w)
        return w - slope + sigma * noise, jnp.sum(slope)

    w, slopes = jax.lax.scan(step, dice[0], dice)
    return {"w": w, "slopes": slopes}


alone = jax.jit(train)


def fingerprint(chunk):
    made = over_chips(train, in_axes=(0, 0, None), chunk=chunk)(KEYS, SIGMAS, INPUTS)
    assert made["w"].shape == (11, 64, 32)
    return hashlib.sha256(made["w"].tobytes() + made["slopes"].tobytes()).hexdigest()


def on_devices(n):
    code = (
        f"import jax; jax.config.update('jax_num_cpu_devices', {n})\n"
        "from tests.test_experiments_population import fingerprint\n"
        f"assert len(jax.devices()) == {n}\n"
        "print(fingerprint(2))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )
    return done.stdout.strip()


def test_bits_are_the_same_on_one_device_and_on_two():
    assert on_devices(1) == on_devices(2) == fingerprint(2)


@pytest.mark.parametrize("chunk", [1, 4, 64])
def test_every_chip_gets_its_own_result(chunk):
    many = over_chips(train, in_axes=(0, 0, None), chunk=chunk)(KEYS, SIGMAS, INPUTS)
    for chip in (0, 7, 10):
        one = alone(KEYS[chip], SIGMAS[chip], INPUTS)["w"]
        np.testing.assert_allclose(many["w"][chip], one, rtol=1e-4, atol=1e-5)


def test_a_population_of_any_size_is_compiled_once_for_one_block():
    traced = []
    double = over_chips(lambda x: traced.append(x.shape) or 2 * x, chunk=3)
    assert double(jnp.arange(10.0)).tolist() == list(range(0, 20, 2))
    assert traced == [()]
    assert {len(block) for block in blocks(10, 3)} == {3}


def test_blocks_cover_every_chip_in_order():
    for n, size in ((10, 3), (3, 10), (8, 4), (1, 1)):
        joined = np.concatenate(blocks(n, size))
        assert joined[:n].tolist() == list(range(n))
        assert set(joined[n:]) <= {n - 1}


def test_a_host_loop_of_sharded_steps_equals_vmap():
    step = per_chip(lambda w, x: w * x - 1, in_axes=(0, None))
    w = jnp.arange(6.0)
    for _ in range(3):
        w = step(w, jnp.float32(0.5))
    assert jnp.array_equal(w, jnp.arange(6.0) / 8 - 1.75)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: over_chips(train, chunk=0), "chunk = 0: at least 1"),
        (
            lambda: over_chips(jnp.add)(jnp.ones(3), jnp.ones(4)),
            r"leading axes \[3, 4\]",
        ),
        (lambda: over_chips(jnp.sin)(jnp.ones(0)), r"leading axes \[0\]"),
        (lambda: over_chips(jnp.add, in_axes=(0, 1))(1, 2), r"in_axes = \(0, 1\)"),
        (lambda: over_chips(jnp.add, in_axes=(0,))(1, 2), "0 or None for each of 2"),
        (lambda: per_chip(jnp.sin, n_devices=99), "n_devices = 99: 1 to"),
    ],
)
def test_senseless_populations_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
