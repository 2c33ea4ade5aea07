"""The machine that an experiment runs on: its cores, and what was compiled for it."""

import contextlib
import gc
import logging
import os
import platform
import sys
from pathlib import Path

import jax

from experiments.results import provenance, store

__all__ = ["prepare"]


def prepare() -> None:
    """Settings that must come before jax's first computation, and messages on.

    One CPU device per core that this process may use, and a compilation cache
    in the user's cache folder unless `JAX_COMPILATION_CACHE_DIR` names another.
    """
    gc.freeze()  # what was imported is none
    gc.set_threshold(50_000, 20, 20)  # tracing makes much that is none: a third of it
    shown = _Above()
    shown.setFormatter(_Plain())
    logging.basicConfig(handlers=[shown])
    logging.getLogger("experiments").setLevel(logging.INFO)
    able = getattr(os, "sched_getaffinity", None)
    cores = len(able(0)) if able else os.cpu_count() or 1
    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        jax.config.update("jax_num_cpu_devices", cores)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        with contextlib.suppress(store.StoreError):  # then without a cache
            cache = store.user_cache() / f"xla-{_processor()}"
            jax.config.update(
                "jax_compilation_cache_dir", str(store.require_writable(cache))
            )


class _Above(logging.StreamHandler):
    """To what stderr is by then: while a bar is drawn, what keeps lines above it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message."""
        self.setStream(sys.stderr)
        super().emit(record)


class _Plain(logging.Formatter):
    """The message alone; what is not as it was asked for says so."""

    def format(self, record: logging.LogRecord) -> str:
        """In words."""
        severe = record.levelno >= logging.WARNING
        return ("warning: " if severe else "") + super().format(record)


def _processor() -> str:
    """A name for what this processor can do: machine code is kept apart by it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    able = {line for line in lines if line.startswith(("flags", "Features"))}
    return provenance.text_hash(f"{platform.machine()} {sorted(able)}")
