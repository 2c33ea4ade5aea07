"""The strictest jax there is: no silent promotion, no legacy keys."""

import os
import signal

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import matplotlib as mpl
import pytest

mpl.use("Agg")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_legacy_prng_key", "error")


if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # started in the background of a script: what we start must hear Ctrl-C all the same
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def x64():
    """Double precision for this test alone: only where an oracle needs it."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def compiled_in_haste():
    """Whole experiments, tiny: they compile longer than they run.

    For tests of what an experiment stores, draws and says, not of its numbers to the
    last bit. What was compiled so is forgotten afterwards.
    """
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()
