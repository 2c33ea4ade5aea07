"""Compiling tests in half the time: nearly all of them compile longer than they run."""

import gc
from contextlib import contextmanager

import jax

OPTIONS = {
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}
"""XLA's own, beside jax's `jax_disable_most_optimizations`."""

TRIED = (0, 10, 1)
"""The jax whose compiler knows them; neither they nor their way in are public."""


def begin() -> None:
    """Compile in haste what is not `optimised`, and seek garbage less often."""
    gc.freeze()  # what was imported is none
    gc.set_threshold(50_000, 20, 20)
    if jax.__version_info__ != TRIED:
        return
    from jax._src import compiler

    options_of = compiler.get_compile_options

    def hasty(*args, **kwargs):
        options = options_of(*args, **kwargs)
        if jax.config.read("jax_disable_most_optimizations"):
            overrides = [*options.env_option_overrides, *OPTIONS.items()]
            options.env_option_overrides = overrides
        return options

    compiler.get_compile_options = hasty


@contextmanager
def as_for_users():
    """Programs as users run them."""
    hasty = jax.config.read("jax_disable_most_optimizations")
    jax.clear_caches()
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", hasty)
    jax.clear_caches()
