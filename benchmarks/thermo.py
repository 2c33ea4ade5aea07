"""Linear circuits: cost of a chip-step, and of an Ornstein-Uhlenbeck trajectory.

Floors: the normals that a step draws, and for a trajectory in many dimensions the same
run of a board without memory: its normals, the one product that mixes them, the page.
"""

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import thermox
from thermox.utils import preprocess

from benchmarks.clock import interleaved, row
from prng import unrolled
from thermo import LinearForm, RLCBoard
from thermo.lattice_walk import coin_walk, lattice_walk
from thermo.propagate import (
    Modes,
    Propagator,
    modes,
    moments,
    propagator,
    trajectory,
)

BOARDS, STEPS = 1024, 640
MANY_BOARDS, MANY_SAMPLES = 10_000, 12_000
SAMPLES, DT = 10_000, 0.1
WALKERS, WALK_DT = 4096, 0.01
OU_TARGETS = {64: 6.0, 256: 12.0, 1000: 20.0}


def rows() -> list[dict[str, Any]]:
    """All figures of merit, in the order in which they are measured."""
    found = chip_step() + walk_step()
    for size, target in OU_TARGETS.items():
        found += ornstein_uhlenbeck(size, target)
    return [*found, memory()]


def chip_step() -> list[dict[str, Any]]:
    """Running moments of 1024 different RLC boards, against their normals alone."""
    boards = random_boards(jr.key(0), BOARDS)
    ready = propagator(jax.vmap(RLCBoard.linear)(boards), 1 / 12)
    keys = jr.split(jr.key(1), BOARDS)
    step = jax.jit(jax.vmap(lambda key, p: moments(key, p, STEPS)))
    normals = jax.jit(jax.vmap(lambda key: normals_alone(key, ready.size, 64, STEPS)))
    took = interleaved(
        {"moments": lambda: step(keys, ready), "normals": lambda: normals(keys)}, 9
    )
    per = 1e6 / (BOARDS * STEPS)
    return [
        row(
            "RLC chip-step, 1024 different boards, over its 16 normals",
            took["moments"] / took["normals"],
            "x",
            target="<= 1.5",
            floor=1.0,
        ),
        row(
            "RLC chip-step",
            took["moments"] * per,
            "core-us",
            floor=took["normals"] * per,
        ),
    ]


def walk_step() -> list[dict[str, Any]]:
    """A step of many quartic walkers, by coin flips, by rests, by normals.

    Euler-Maruyama on the same generator is what they replace; the normals that it
    draws, added up and no more, are the floor of any engine that draws them.
    """
    x0, key = jnp.zeros(WALKERS), jr.key(5)

    def euler(key: jax.Array) -> jax.Array:
        key = unrolled(key)

        def body(x, i):
            dw = jr.normal(jr.fold_in(key, i), x.shape)
            return x - WALK_DT * x**3 + WALK_DT**0.5 * dw, None

        return jax.lax.scan(body, x0, jnp.arange(STEPS))[0]

    force, how = jax.tree_util.Partial(_quartic), (1.0, WALK_DT)
    normal, drawn = (
        jax.jit(euler),
        jax.jit(lambda k: normals_alone(k, WALKERS, 1, STEPS)),
    )
    took = interleaved(
        {
            "coins": lambda: coin_walk(key, force, *how, STEPS, x0),
            "rests": lambda: lattice_walk(key, force, *how, 0.15, STEPS, x0),
            "euler": lambda: normal(key),
            "normals": lambda: drawn(key),
        },
        9,
    )
    per = 1e9 / (WALKERS * STEPS)
    return [
        row(
            "Lattice-walk step, coin flips, over its normals alone",
            took["coins"] / took["normals"],
            "x",
            target="<= 1",
        ),
        row(
            "Lattice-walk step, with rests, over its normals alone",
            took["rests"] / took["normals"],
            "x",
            target="<= 1",
        ),
        row(
            "Lattice-walk step, coin flips",
            took["coins"] * per,
            "core-ns/coordinate",
            note=f"Euler-Maruyama {took['euler'] * per:.2f}",
        ),
    ]


def _quartic(x: jax.Array) -> jax.Array:
    return -(x**3)


def ornstein_uhlenbeck(size: int, target: float) -> list[dict[str, Any]]:
    """A symmetric drift of `size` states: modes against thermox, both prepared."""
    form, rates = symmetric_form(size)
    start = time.process_time()
    ready = jax.block_until_ready(modes(form, DT))
    prepared = time.process_time()
    whitened = jax.jit(preprocess)(form.drift, form.diffusion)
    drift, diffusion = jax.block_until_ready(whitened)
    preprocessed = time.process_time()
    ts, zero = DT * jnp.arange(SAMPLES + 1.0), jnp.zeros(size)
    first = (
        jr.normal(jr.key(2), (size,)) @ np.linalg.cholesky(np.linalg.inv(form.drift)).T
    )
    peer = jax.jit(lambda key: thermox.sample(key, ts, first, drift, zero, diffusion))
    bare, key = WithoutMemory(ready.readout), jr.key(3)
    ours = {"ours": lambda: trajectory(key, ready, SAMPLES)}
    took = interleaved(ours | {"thermox": lambda: peer(key)}, 5 if size < 1000 else 3)
    near = interleaved(ours | {"bare": lambda: trajectory(key, bare, SAMPLES)}, 15)
    faster = took["thermox"] / took["ours"]
    name, law = f"OU trajectory, d = {size}", expected_error(rates)
    error = covariance_error(trajectory(key, ready, SAMPLES), form.drift) / law
    theirs = covariance_error(peer(key)[1:], form.drift) / law
    per = 1e6 / SAMPLES
    return [
        row(
            f"{name}, thermox over ours",
            faster,
            "x",
            target=f">= {target:g}",
            floor=faster * near["ours"] / near["bare"],
        ),
        row(
            f"{name}, ours",
            near["ours"] * per,
            "core-us/step",
            floor=near["bare"] * per,
        ),
        row(
            f"{name}, covariance error over its law, ours", error, "x", target="<= 1.3"
        ),
        row(f"{name}, covariance error over its law, thermox", theirs, "x"),
        row(f"{name}, set-up with compilation, ours", prepared - start, "core-s"),
        row(
            f"{name}, set-up with compilation, thermox",
            preprocessed - prepared,
            "core-s",
        ),
    ]


def memory() -> dict[str, Any]:
    """Peak resident memory of a process that runs 10,000 boards for 12,000 samples."""
    command = [sys.executable, "-m", "benchmarks.thermo", "memory"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return row(
        f"Peak memory, {MANY_BOARDS} boards x {MANY_SAMPLES} samples, whole process",
        float(done.stdout.split()[-1]),
        "GB",
        target="<= 2",
    )


def run_many_boards() -> float:
    """Do it, and return the peak in GB."""
    boards = random_boards(jr.key(0), MANY_BOARDS)
    ready = propagator(jax.vmap(RLCBoard.linear)(boards), 1 / 12)
    keys = jr.split(jr.key(1), MANY_BOARDS)

    def one(board: tuple[jax.Array, Propagator]) -> jax.Array:
        return moments(*board, MANY_SAMPLES).second

    second = jax.jit(lambda a: jax.lax.map(one, a, batch_size=500))((keys, ready))
    if not bool(jnp.isfinite(second).all()):
        raise RuntimeError("a board diverged on the exact path")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def random_boards(key: jax.Array, n: int, d: int = 8) -> RLCBoard:
    """Boards that all differ, as in the sensitivity table of the requirements."""

    def one(key):
        ground, between = jr.split(key)
        half = jnp.triu(jr.uniform(between, (d, d), maxval=0.2), 1)
        return RLCBoard(
            ground_capacitance=jr.uniform(ground, (d,), minval=0.8, maxval=1.2),
            coupling=half + half.T,
            inductance=jnp.full(d, 0.25),
            resistance=jnp.ones(d),
            noise=jnp.ones(d),
        )

    return jax.vmap(one)(jr.split(key, n))


def symmetric_form(size: int) -> tuple[LinearForm, np.ndarray]:
    """A drift with rates 1 to 5 in a random basis, and unit temperature."""
    rates = np.linspace(1, 5, size)
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(size, size)))[0]
    drift = (basis * rates) @ basis.T
    eye = jnp.eye(size)
    symmetric = jnp.asarray((drift + drift.T) / 2, jnp.float32)
    form = LinearForm(drift=symmetric, noise=jnp.sqrt(2) * eye, readout=eye)
    return form, rates


def expected_error(rates: np.ndarray) -> float:
    """Root mean square of the covariance error of correlated samples (exact law)."""
    step = np.exp(-rates * DT)
    pair = np.outer(step, step)
    square = (1 + np.eye(len(rates))) * (1 + pair) / (1 - pair) / np.outer(rates, rates)
    return float(np.sqrt(square.sum() / SAMPLES))


def covariance_error(v: jax.Array, drift: jax.Array) -> float:
    """Frobenius distance of the second moment from the inverse of the drift."""
    samples = np.asarray(v, float)
    second = samples.T @ samples / len(samples)
    return float(np.linalg.norm(second - np.linalg.inv(np.asarray(drift, float))))


def normals_alone(key: jax.Array, n: int, chunk: int, steps: int) -> jax.Array:
    """Draw as a run of `steps` draws, and add up so that nothing is optimised away."""
    key = unrolled(key)

    def body(total, i):
        return total + jr.normal(jr.fold_in(key, i), (chunk, n)).sum(0), None

    return jax.lax.scan(body, jnp.zeros(n), jnp.arange(steps // chunk))[0]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class WithoutMemory:
    """A stepper like `Modes` that leaves out the decay: every sample is a fresh one.

    It is a part of what `Modes` does, chunk by chunk, so it cannot take longer. A run
    in chunks of 500 could: at d = 1000 its product costs 1 to 3 % more per row than
    that of 512, as much as the decay.
    """

    readout: jax.Array

    chunk: ClassVar[int] = Modes.chunk

    @property
    def size(self) -> int:
        """Normals per sample."""
        return self.readout.shape[1]

    @property
    def n_readouts(self) -> int:
        """Voltages per sample."""
        return self.readout.shape[0]

    def begin(self, xi: jax.Array) -> jax.Array:
        """Nothing to begin with."""
        return xi

    def enter(self, z0: jax.Array) -> jax.Array:
        """Nothing to enter."""
        return z0

    def run(self, state: jax.Array, xi: jax.Array) -> tuple[jax.Array, jax.Array]:
        """One product."""
        return state, xi @ self.readout.T


if __name__ == "__main__":
    if sys.argv[1:] == ["memory"]:
        print(run_many_boards())
    else:
        for line in rows():
            print(line)
