"""A network that is written onto a chip, which then grows old and is tested."""

from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import eapu_jax as ej
from chipsweep import Keys
from eapu_jax import array
from eapu_jax.placement import on_array, put
from experiments.learning.rules import RULES
from experiments.learning.task import accuracy
from experiments.memristor.aging import MONTH, YEAR, Aging
from experiments.memristor.compensation import COMPENSATIONS, compensated
from experiments.memristor.cures import (
    CURES,
    CureName,
    calibrated,
    hardware,
    programmed,
)
from experiments.memristor.training import learn, network, prepared
from experiments.validate import (
    Ascending,
    Count,
    Plural,
    Positive,
    Proportion,
    one_of,
)
from prng import unrolled

TIMES = (
    1.0, 10.0, 60.0, 600.0, 3600.0, 6 * 3600.0, 86400.0, 7 * 86400.0, MONTH, 3 * MONTH,
    YEAR, 3 * YEAR, 10 * YEAR,
)  # fmt: skip
"""Since programming, s."""


class Drifting(Aging):
    """What one chip that drifts depends on.

    Attributes:
        cure: what is done about it, see `CURES`.
        times: since programming, at which the chip is tested, s.
        periods: equal parts of the whole time; cells are calibrated after each but
            the last, after the test where both fall together (structural).
        tolerance: calibration writes cells anew that are off by more than this
            fraction of the window.
        copies: of a redundant cell (structural).
        probes: training images that rivals are fitted on (structural).
        rule: "ideal": the network learns digitally.
    """

    cure: CureName = "none"
    times: Ascending[Positive] = TIMES
    periods: Count = 120
    tolerance: Proportion = 0.04
    copies: Plural = 3
    probes: Count = 256
    rule: Annotated[str, one_of(*RULES)] = "ideal"

    def __post_init__(self):
        """Check every field, and that network and rule are those of a deployment."""
        super().__post_init__()
        self.require(self.rule == "ideal", "rule", "ideal: what learns is digital")
        self.require(not self.channels, "channels", "none: dense layers alone drift")
        fits = self.probes <= self.n_train
        self.require(fits, "probes", f"at most n_train = {self.n_train}")


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Train a network digitally, write it onto one chip, let this grow old.

    Returns:
        `accuracy` under every compensation at each of `times`, `writes` per weight up
        to then, and `digital`: accuracy before the network was written.
    """
    del chip
    curves, _ = learn(point, keys._replace(chip=keys.seed))  # all chips of a seed alike
    built, written, life = jr.split(unrolled(keys.chip), 3)
    made = hardware(built, point, curves.params)
    held = programmed(written, made, on_array(curves.params))
    seen, writes = lived(life, point, made, held, curves.params)
    return {"accuracy": seen.T, "writes": writes, "digital": curves.score[-1]}


class Events(NamedTuple):
    """What happens to a chip, in order.

    Attributes:
        number: of the event.
        dt: time since the one before, s.
        tested: whether the chip is tested.
        due: whether it is calibrated then.
    """

    number: np.ndarray
    dt: np.ndarray
    tested: np.ndarray
    due: np.ndarray


def events(times: tuple[float, ...], periods: int) -> Events:
    """Tests at `times` (s), and calibrations after every period but the last.

    Example:
        >>> found = events((1.0, 50.0, 100.0), 2)
        >>> found.dt.tolist(), found.tested.tolist(), found.due.tolist()
        ([1.0, 49.0, 50.0], [True, True, True], [False, True, False])
    """
    due = times[-1] * np.arange(1, periods) / periods
    at = np.union1d(times, due)
    return Events(
        np.arange(len(at)),
        np.diff(at, prepend=0).astype(np.float32),
        np.isin(at, times),
        np.isin(at, due),
    )


def lived(
    key: jax.Array, point: Any, chip: dict, held: dict, params: Any
) -> tuple[jax.Array, jax.Array]:
    """Accuracies, and writes per weight so far, at each of the times of the point."""
    cure, wanted = CURES[point.cure], on_array(params)
    ahead = events(point.times, point.periods if cure.calibrated else 1)
    test = _test(point, chip, params)
    nan = jnp.full(len(COMPENSATIONS), jnp.nan)

    def restore(key, held):
        return calibrated(key, chip, wanted, held, point.tolerance)

    def happens(held, event):
        keys = jr.split(jr.fold_in(key, event.number), 3)
        held = {
            p: array.advance(jr.fold_in(keys[0], n), chip[p], held[p], event.dt)
            for n, p in enumerate(held)
        }
        seen = jax.lax.cond(event.tested, test, lambda *_: nan, keys[1], held)
        writes = _writes(held, wanted)
        held = jax.lax.cond(event.due, restore, lambda _, held: held, keys[2], held)
        return held, (seen, writes)

    _, found = jax.lax.scan(happens, held, jax.tree.map(jnp.asarray, ahead))
    tested = np.flatnonzero(ahead.tested)
    return found[0][tested], found[1][tested]


def _writes(held: dict[str, ej.ArrayState], wanted: dict[str, jax.Array]) -> jax.Array:
    written = [jnp.sum(s.ledger.writes, dtype=jnp.float32) for s in held.values()]
    return sum(written, jnp.zeros(())) / sum(w.size for w in wanted.values())


def _test(point: Any, chip: dict, params: Any):
    """A test of the chip: each cell read once, then compensated in every way.

    Rivals are fitted to the read that is tested.
    """
    data: Any = jax.tree.map(jnp.asarray, prepared(point))
    probes, ideal = data.x_train[: point.probes], on_array(params)

    def test(key, held):
        seen = {
            p: array.read(jr.fold_in(key, n), chip[p], state)[0]
            for n, (p, state) in enumerate(held.items())
        }
        every = [
            compensated(one, probes, params, ideal, seen)
            for one in COMPENSATIONS.values()
        ]
        stacked = jax.tree.map(lambda *kernels: jnp.stack(kernels), *every)

        def right(kernels):
            whole = {"params": put(params, kernels)}
            logits: Any = network(point).apply(whole, data.x_test)
            return accuracy(logits, data.y_test)

        return jax.vmap(right)(stacked)

    return test
