"""The strictest jax there is: no silent promotion, no legacy keys."""

import gc
import os
import signal
from contextlib import contextmanager

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Most tests compile longer than they run: see `optimised`. Also of what they start.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax
import matplotlib as mpl
import pytest
from jax._src import compiler

# A program that starts jax with four devices: as a module it would do so here too.
collect_ignore = ["four_devices.py"]

mpl.use("Agg")
jax.config.update("jax_num_cpu_devices", 1)  # whatever the environment says
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_legacy_prng_key", "error")


HASTE = {
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}
"""What halves the time to compile a small program, beside few optimisations."""

options_of = compiler.get_compile_options


def hasty_options(*args, **kwargs):
    """The options of the compiler, with `HASTE` unless programs are optimised."""
    options = options_of(*args, **kwargs)
    if jax.config.read("jax_disable_most_optimizations"):
        overrides = [*options.env_option_overrides, *HASTE.items()]
        options.env_option_overrides = overrides
    return options


compiler.get_compile_options = hasty_options

# Tracing makes much garbage, and what was imported is none: seek it less often.
gc.freeze()
gc.set_threshold(50_000, 20, 20)


if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # started in the background of a script: what we start must hear Ctrl-C all the same
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def x64():
    """Double precision for this test alone: only where an oracle needs it."""
    with jax.enable_x64(True):
        yield


@contextmanager
def as_for_users():
    """Programs as users run them."""
    hasty = jax.config.read("jax_disable_most_optimizations")
    jax.clear_caches()
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", hasty)
    jax.clear_caches()


@pytest.fixture(scope="module")
def optimised():
    """Programs as users run them: where fusing them has broken a law before.

    `JAX_DISABLE_MOST_OPTIMIZATIONS=0` in the environment does so for all tests.
    """
    with as_for_users():
        yield


@pytest.fixture
def optimised_alone():
    """The same for one test of a file."""
    with as_for_users():
        yield
