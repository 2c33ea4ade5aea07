"""Two batches of factorisations at once come to an end."""

import os
import subprocess
import sys

import jax
import pytest

from thermo.threads import spare_threads

PROGRAM = """
import thermo, jax, jax.numpy as jnp
a = 8 * jnp.eye(16) + jnp.arange(512.0)[:, None, None] / 512
both = jax.jit(lambda a: (jnp.linalg.inv(a), jnp.linalg.inv(2 * a)))
jax.block_until_ready([both(a + i) for i in range(20)])
"""


def test_two_batches_at_once_do_not_wait_for_each_other():
    plain = {k: v for k, v in os.environ.items() if k != "NPROC"}
    subprocess.run([sys.executable, "-c", PROGRAM], env=plain, check=True, timeout=120)


@pytest.mark.skipif(jax.__version_info__ >= (0, 11, 2), reason="mended in jax")
def test_threads_are_spared_unless_someone_has_chosen():
    chosen, free = {"NPROC": "3"}, {}
    spare_threads(chosen)
    spare_threads(free)
    assert chosen == {"NPROC": "3"}
    assert int(free["NPROC"]) >= 16
