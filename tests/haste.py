"""Compiling tests in half the time: nearly all of them compile longer than they run."""

import gc
from collections import OrderedDict
from contextlib import contextmanager
from hashlib import sha256

import jax

OPTIONS = {
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}
"""XLA's own, beside jax's `jax_disable_most_optimizations`."""

TRIED = (0, 10, 1)
"""The jax whose compiler knows them; neither they nor their way in are public."""

KEPT = 400
"""Programs: those of a file or two. All of them would not fit into memory."""


def begin() -> None:
    """Compile in haste what is not `optimised`, and seek garbage less often."""
    gc.freeze()  # what was imported is none
    gc.set_threshold(50_000, 20, 20)
    if jax.__version_info__ != TRIED:
        return
    from jax._src import compiler

    options_of, compile_it = (
        compiler.get_compile_options,
        compiler.backend_compile_and_load,
    )

    def hasty(*args, **kwargs):
        options = options_of(*args, **kwargs)
        if jax.config.read("jax_disable_most_optimizations"):
            overrides = [*options.env_option_overrides, *OPTIONS.items()]
            options.env_option_overrides = overrides
        return options

    compiled = OrderedDict()

    def once(backend, module, devices, options, callbacks):
        """Programs of one text are one: a new closure or chip makes no other."""
        if callbacks:  # these are not in the text
            return compile_it(backend, module, devices, options, callbacks)
        text = f"{devices}{options.SerializeAsString()}{module}"
        key = sha256(text.encode()).digest()
        if key not in compiled:
            compiled[key] = compile_it(backend, module, devices, options, callbacks)
        compiled.move_to_end(key)
        if len(compiled) > KEPT:
            compiled.popitem(last=False)
        return compiled[key]

    compiler.get_compile_options = hasty
    compiler.backend_compile_and_load = once


@contextmanager
def as_for_users():
    """Programs as users run them."""
    hasty = jax.config.read("jax_disable_most_optimizations")
    jax.clear_caches()
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", hasty)
    jax.clear_caches()
