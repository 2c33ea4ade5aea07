"""A sweep whose runs have stages; as a program, one that dies between them."""

import os
import signal
import sys

import jax
import jax.numpy as jnp
import jax.random as jr

import chipsweep
from chipsweep.stages import Call

AXES = {"mean": [0.0, 1.0], "noise": [0.5, 1.0]}
N_STAGES = 6
COUNTED: list[int] = []


def walk(scan, point, key):
    """A walk with a carry of many kinds, something before the stages and after them."""
    table = jnp.arange(3.0) * jr.normal(key)

    def body(carry, i):
        x, key, count, half = carry
        key, now = jr.split(key)
        x = x + point.mean + point.noise * jr.normal(now) + table[i % 3]
        half = half * jnp.bfloat16(0.9) + x.astype(jnp.bfloat16)
        return (x, key, count + jnp.uint32(i), half), {"x": x, "half": half, "i": i}

    start = table.sum(), jr.fold_in(key, 7), jnp.uint32(2**32 - 3), jnp.bfloat16(0.1)
    (x, key, count, half), by_stage = scan(body, start, jnp.arange(N_STAGES))
    return {
        "x": x, "draw": jr.normal(key), "count": count, "half": half,
        "curve": by_stage["x"], "halves": by_stage["half"], "i": by_stage["i"],
        "table": table + by_stage["x"][0],
    }  # fmt: skip


def staged(point, chip, key):
    """The walk in stages."""
    return walk(chipsweep.in_stages, point, key)


def plain(point, chip, key):
    """The same walk, as one scan."""
    return walk(jax.lax.scan, point, key)


def typed(point, chip, key):
    """The walk with a structural axis: two programs."""
    found = staged(point, chip, key)
    return {**found, "x": found["x"] * {"up": 1.0, "down": -1.0}[point.rule]}


def sweep_of(
    store, function=staged, axes=AXES, *, chunk=12, devices=None, seconds=0.0, **how
):
    """The sweep of all tests, in two chunks."""
    resources = chipsweep.Resources(chunk=chunk, devices=devices, save_seconds=seconds)
    spec = chipsweep.specify(function, axes, **{"chips": 3, "seeds": 2, **how})
    return chipsweep.run(spec, store=store, resources=resources)


def counted(dies_after=None):
    """Count stages, and end this process in the middle of one, as `kill -9` does."""
    advance = Call.advance

    def counting(call, seconds):
        if dies_after is not None and len(COUNTED) >= dies_after:
            os.kill(os.getpid(), signal.SIGKILL)
        advance(call, seconds)
        COUNTED.append(call._done)

    Call.advance = counting  # type: ignore[method-assign]


if __name__ == "__main__":
    from tests.toy_stages import COUNTED, counted, sweep_of  # not those of __main__

    store, dies_after = sys.argv[1:]
    counted(int(dies_after))
    sweep_of(store)
    print(len(COUNTED))
