"""From traces to a device: every family fitted, compared, and one of them chosen."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from eapu_jax.checks import number, whole
from eapu_jax.chips import Spread
from eapu_jax.fitting.bursts import bursts
from eapu_jax.fitting.endurance import fit_endurance, worn
from eapu_jax.fitting.fitted import FamilyFit, FittedDevice, behind
from eapu_jax.fitting.misfit import chance
from eapu_jax.fitting.models import MODELS
from eapu_jax.fitting.population import population
from eapu_jax.fitting.retention import fit_retention, retained
from eapu_jax.fitting.traces import PulseTrains, Reads, Traces
from eapu_jax.fitting.trains import OUTLIERS, TrainFit, fit_trains
from eapu_jax.fitting.writes import WRITTEN, fit_writes, read_noise
from eapu_jax.write_error import matched_threshold

_TOGETHER = 32  # devices in one compiled call
_THREADS = 2
_PLAIN: dict[str, Any] = {"xla_cpu_use_fusion_emitters": False}
"""Half the time to compile (jax 0.10)."""
_MANY = 200_000  # readings from which on a better program is worth its compiling

Progress = Callable[[str, int, int], None]


def fit_device(
    traces: Traces,
    models: Sequence[str] | None = None,
    *,
    compared: int = 50,
    outliers: float = OUTLIERS,
    progress: Progress = lambda family, done, total: None,
) -> FittedDevice:
    r"""Find the device whose traces these are.

    Every family is fitted by gradient to every device by itself, its steps of either
    sign apart (`fit_trains`), in double precision. Families are compared by the
    likelihood of cycles that were not fitted, every second one, and the one with the
    fewest constants is chosen of those that lie within two standard errors of the
    best, one that leaves no trend before one that does. The nominal device has the
    mean constants, corrected for the errors with which they were found, as is the
    spread between devices. EaPU's threshold is that of `matched_threshold` amid the
    window of the nominal device.

    Three cautions. An end of the window that stopped no pulse is not determined for
    `ConstantStep`, `LinearStep` and `ExponentialStep`: its error is infinite, and the
    range that was read is taken for the window. The other constants are told about
    that window, so that theirs are those of the range: the same steps there, by other
    numbers, and errors given this window. And an end that the noise alone ever meets
    (where a response fades, as that of `SoftBounds`) has too small an error. And
    intervals are those of many readings: of one cycle of 60 pulses those of 95 % held
    in 84 to 94 % of 200 simulated devices, and noises were found within 7 % in the
    middle; with six such cycles they hold at their rate.

    What else was measured has its place: readings at rest say what the read noise is;
    retention and endurance, fitted to all devices at once, are wrapped around the
    device (`fit_retention`, `fit_endurance`). Without pulse trains, writes with a
    target make an `AdditiveError` or a `StateDependentError` (`fit_writes`).

    Args:
        traces: what was measured; pulse trains or writes at least.
        models: names of the families to try, of `eapu_jax.fitting.MODELS`; all when
            None.
        compared: on how many devices, spread over the rows, families are compared;
            the chosen one is fitted to all.
        outliers: probability that a reading is one.
        progress: told of every family of pulsed devices when it was fitted, and how
            many were, of how many.

    Returns:
        The device with all that was found. A device that could not be fitted has NaN
        and `converged` False, and takes no part in the nominal one.

    Raises:
        ValueError: if there are neither pulse trains nor writes, a family is not
            known, or no device could be fitted.

    Example:
        >>> import numpy as np
        >>> rng, up = np.random.default_rng(0), np.arange(80) % 40 < 20
        >>> g = np.zeros((2, 3, 81))
        >>> for t, more in enumerate(up):  # two devices, three cycles
        ...     step = np.where(more, 0.05 * (20 - g[..., t]), -0.05 * (20 + g[..., t]))
        ...     g[..., t + 1] = g[..., t] + step + 0.2 * rng.normal(size=(2, 3))
        >>> trains = PulseTrains(g=g, up=np.broadcast_to(up, (2, 3, 80)))
        >>> found = fit_device(Traces(pulses=trains), ["SoftBounds"])
        >>> bool(abs(found.device.write_noise - 0.2) < 0.03)
        True
    """
    if not isinstance(traces, Traces):
        raise ValueError(f"traces must be Traces(...), got {traces!r}")
    names = _names(models)
    whole("compared", compared, at_least=1)
    number("outliers", outliers, at_least=0, under=1)
    if traces.pulses is not None:
        asked = traces.pulses, traces.reads, names, compared, outliers
        families = _of_trains(*asked, progress)
    elif traces.writes is not None:
        asked = traces.writes, traces.reads
        tried = {n: fit_writes(*asked, n, outliers=outliers) for n in WRITTEN}
        families = _in_order(tried, choice(tried))
    else:
        raise ValueError(
            f"traces must have pulses or writes, got only {', '.join(traces.measured)}"
        )
    chosen = next(iter(families))
    if not np.any(families[chosen].converged):
        raise ValueError(
            "traces must have a device that can be fitted, got none: no family of "
            f"{', '.join(families)} has a likelihood with a maximum"
        )
    return _nominal(families, chosen, traces)


def _of_trains(
    trains: PulseTrains,
    reads: Reads | None,
    names: tuple[str, ...],
    compared: int,
    outliers: float,
    progress: Progress,
) -> dict[str, FamilyFit]:
    """Every family on some devices, the one that is chosen on all; it comes first."""
    every = np.arange(len(trains.g))
    known, some = read_noise(reads, len(every)), every
    if len(names) > 1 and len(every) > compared:
        some = np.unique(np.linspace(0, len(every) - 1, compared).round().astype(int))
    more, done = len(some) < len(every), count(1)

    def fit(name: str, devices: np.ndarray) -> FamilyFit:
        found = fit_family(name, trains, devices, known, outliers)
        progress(name, next(done), len(names) + more)
        return found

    with ThreadPoolExecutor(_THREADS) as pool:  # they compile longer than they run
        fits = pool.map(lambda name: fit(name, some), names)
        tried = dict(zip(names, fits, strict=True))
    chosen = choice(tried)
    if more:
        tried[chosen] = fit(chosen, every)
    return _in_order(tried, chosen)


def _in_order(tried: Mapping[str, FamilyFit], chosen: str) -> dict[str, FamilyFit]:
    """The chosen family first, the others by their scores."""
    order = sorted(tried, key=lambda name: (name != chosen, -tried[name].score))
    return {name: tried[name] for name in order}


def _names(models: Any) -> tuple[str, ...]:
    if models is None:
        return tuple(MODELS)
    named = isinstance(models, Sequence) and not isinstance(models, str | bytes)
    if not named or not models or any(m not in tuple(MODELS) for m in models):
        raise ValueError(
            f"models must be some of {', '.join(MODELS)} in a list, got {models!r}"
        )
    return tuple(dict.fromkeys(models))


def choice(tried: Mapping[str, FamilyFit]) -> str:
    """The family of fewest constants within two standard errors of the best.

    Of these, one that leaves no trend comes before one that does.
    """
    best = max(tried.values(), key=lambda f: f.score)

    def close(fit: FamilyFit) -> bool:
        gap, error = behind(fit, best)
        return gap <= 2 * error

    near = [name for name, fit in tried.items() if close(fit)] or [best.family]
    near = [name for name in near if tried[name].adequate] or near
    return min(near, key=lambda n: (len(tried[n].free), -tried[n].score))


def fit_family(
    name: str,
    trains: PulseTrains,
    devices: np.ndarray,
    known: tuple[np.ndarray, np.ndarray] | None = None,
    outliers: float = OUTLIERS,
) -> FamilyFit:
    """Fit one family to some devices, many in one compiled call.

    Args:
        name: of the family, in `MODELS`.
        trains: of all devices.
        devices: the rows to fit.
        known: logarithm of the read noise (µS) and its error, by row.
        outliers: probability that a reading is one.
    """
    together = min(_TOGETHER, 1 << (len(devices) - 1).bit_length())
    parts = np.split(devices, range(together, len(devices), together))

    read = bursts(trains.g, trains.up)
    fitted = _compiled(name, outliers, len(devices) * read.g[0].size < _MANY)
    nothing = np.full(len(trains.g), np.nan)
    told = (nothing, nothing) if known is None else known

    def one(rows: np.ndarray) -> TrainFit:
        filled = np.resize(rows, together)  # one program for all parts
        given = tuple(k[filled] for k in told)
        with jax.enable_x64(True):
            g, up = jnp.asarray(read.g[filled]), jnp.asarray(read.up[filled])
            found = fitted(g, up, given, read.pulses)
            return jax.tree.map(lambda leaf: np.asarray(leaf)[: len(rows)], found)

    with ThreadPoolExecutor(_THREADS) as pool:
        found = [one(parts[0]), *pool.map(one, parts[1:])]
    whole = jax.tree.map(lambda *leaves: np.concatenate(leaves), *found)
    return _family(name, devices, whole)


@cache
def _compiled(name: str, outliers: float, few: bool) -> Any:
    """The fit, compiled; of few readings in a hurry, as that takes longer than it runs.

    Measured: a third of the time to compile, twice the time to run.
    """

    def one(g, up, known, pulses):
        how = {"known": known, "outliers": outliers, "pulses": pulses}
        return fit_trains(MODELS[name], g, up, **how)

    every = jax.vmap(one, in_axes=(0, 0, 0, None))
    return jax.jit(every, compiler_options=_hasty() if few else None)


@cache
def _hasty() -> dict[str, Any]:
    """Options of a compiler in a hurry: those of XLA's own that this version knows."""
    found: dict[str, Any] = {}
    for option in ({"xla_backend_optimization_level": 0}, _PLAIN):
        both: Any = found | option
        try:
            jax.jit(lambda x: x + x).lower(1.0).compile(both)
        except jax.errors.JaxRuntimeError:  # newer ones have no such emitters
            continue
        found = both
    return found


def _family(name: str, devices: np.ndarray, found: TrainFit) -> FamilyFit:
    free = MODELS[name].free
    sound = found.converged & np.all(np.isfinite(found.covariance), axis=(1, 2))
    left = found.misfit
    gone = lambda value: np.where(sound, value, np.nan)  # noqa: E731
    with jax.enable_x64(True):
        shapes = np.asarray(chance(left.shape, left.shape_freedom))
        noises = np.asarray(chance(left.noise, left.noise_freedom))
        shape = chance(left.shape[sound].sum(), left.shape_freedom[sound].sum())
        noise = chance(left.noise[sound].sum(), left.noise_freedom[sound].sum())
    return FamilyFit(
        family=name,
        devices=devices,
        free=free,
        values={n: gone(found.values[n]) for n in free},
        errors={n: gone(found.errors[n]) for n in free},
        held_out=np.where(sound[:, None], found.held_out, np.nan),
        log_likelihood=np.where(sound[:, None], found.log_likelihood, np.nan),
        readings=np.asarray(found.readings),
        shape_chance=float(shape) if sound.any() else 0.0,
        noise_chance=float(noise) if sound.any() else 0.0,
        shape_chances=gone(shapes),
        noise_chances=gone(noises),
        memory=gone(left.memory),
        clean=gone(found.clean),
        converged=sound,
    )


def _nominal(
    families: Mapping[str, FamilyFit], chosen: str, traces: Traces
) -> FittedDevice:
    """The device of mean constants, its spread, and the threshold that suits it."""
    fit = families[chosen]
    found = {n: population(fit.values[n], fit.errors[n]) for n in fit.free}
    means = {n: p.mean for n, p in found.items()}
    if chosen in MODELS:
        device: Any = MODELS[chosen].device(means)
    else:
        assert traces.writes is not None
        device = WRITTEN[chosen].device(means, traces.writes)
    retention = () if traces.retention is None else fit_retention(traces.retention)
    endurance = None if traces.endurance is None else fit_endurance(traces.endurance)
    within = ""
    if retention:
        device, within = retained(device, retention[0]), within + "device."
    if endurance is not None:
        device, within = worn(device, endurance), within + "device."
    sigmas = {within + n: p.sigma for n, p in found.items() if p.sigma}
    made = FittedDevice(
        device=device,
        family=chosen,
        families=families,
        spread=Spread(cell_to_cell=sigmas),
        population=found,
        threshold=float("nan"),
        r_wg=2 / float(device.g_max - device.g_min),
        retention=retention,
        endurance=endurance,
    )
    return _with_threshold(made)


def _with_threshold(made: FittedDevice) -> FittedDevice:
    middle = float(made.device.g_min + made.device.g_max) / 2
    asked = matched_threshold(jr.key(0), made.crossbar, g=middle)
    return replace(made, threshold=float(asked) / made.r_wg)
