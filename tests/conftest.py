"""The strictest jax there is: no silent promotion, no legacy keys."""

import os
import signal

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Most tests compile longer than they run: see `optimised`. Also of what they start.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax
import matplotlib as mpl
import pytest

from tests import haste

# A program that starts jax with four devices: as a module it would do so here too.
collect_ignore = ["four_devices.py"]

mpl.use("Agg")
jax.config.update("jax_num_cpu_devices", 1)  # whatever the environment says
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_legacy_prng_key", "error")
# nobody reads where in a program a line of ours ended up, and that costs a twentieth
jax.config.update("jax_traceback_in_locations_limit", 0)
jax.config.update("jax_include_full_tracebacks_in_locations", False)


haste.begin()

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # started in the background of a script: what we start must hear Ctrl-C all the same
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def x64():
    """Double precision for this test alone: only where an oracle needs it."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def optimised():
    """Programs as users run them: where fusing them has broken a law before.

    `JAX_DISABLE_MOST_OPTIMIZATIONS=0` in the environment does so for all tests.
    """
    with haste.as_for_users():
        yield


@pytest.fixture
def optimised_alone():
    """The same for one test of a file."""
    with haste.as_for_users():
        yield
