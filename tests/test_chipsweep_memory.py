"""What does not fit says what to lower, and what was finished is kept."""

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

from chipsweep import Structural, opened, sweep
from chipsweep.memory import OutOfMemory, saying_what_to_lower

BEYOND = 2**44
"""Numbers: 64 TiB, more than any of our machines can promise."""
WORDS = r"out of memory: lower chunk .*one run holds.*; finished chunks are kept \("


def least(point, chip, key):
    return {"x": jnp.sort(jr.normal(key, (point.n,)))[0]}


def test_a_sweep_that_does_not_fit_says_so_and_keeps_what_it_has(tmp_path):
    axes = {"n": Structural([4, BEYOND])}
    with pytest.raises(MemoryError, match=WORDS + "RESOURCE_EXHAUSTED: ") as told:
        sweep(least, axes, chunk=1, store=tmp_path / "s")
    assert isinstance(told.value.__cause__, jax.errors.JaxRuntimeError)
    kept = opened(tmp_path / "s")
    assert kept.computed.values.tolist() == [1, 0]


def test_with_the_width_left_to_us_it_is_known_before():
    with pytest.raises(OutOfMemory, match=r"one run needs \d+ bytes, \d+ are free: lo"):
        sweep(least, {"n": Structural([BEYOND])})


def test_what_is_told_twice_is_told_once():
    said = saying_what_to_lower
    with pytest.raises(OutOfMemory) as told, said(), said():
        raise MemoryError
    assert str(told.value).count("out of memory") == 1


def test_other_errors_pass_as_they_are():
    with pytest.raises(KeyError, match="mine"), saying_what_to_lower():
        raise KeyError("mine")
