"""The strictest jax there is: no silent promotion, no legacy keys."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import matplotlib as mpl
import pytest

mpl.use("Agg")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_legacy_prng_key", "error")


@pytest.fixture
def x64():
    """Double precision for this test alone: only where an oracle needs it."""
    with jax.enable_x64(True):
        yield
