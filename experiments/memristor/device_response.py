"""Response curves: what pulses do to the cells of every preset, up and down.

A cell starts at the conductance of the lowest weight that its preset maps, and is
asked to rise to that of the highest in equal requests, then to fall back. No time
passes, nothing is verified from outside, and weights play no part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

import eapu_jax as ej
from chipsweep import Keys
from eapu_jax.devices import response
from experiments.claims import Claim, judged, spread, within_reach
from experiments.contract import Sweep, base_of
from experiments.memristor.arrays import PRESETS as CROSSBARS
from experiments.memristor.device_response_figure import plot as plot
from experiments.validate import Plural, Seed, Width, bounds, check, one_of

REPRODUCES = "devices: response curves and write errors of the presets"
DIMS = {"g": ("request",)}
UNITS = {"g": "µS"}

STATED = {
    "PUBLIC_CODE": (2.0, "EaPU, the authors' public code (STATED)"),
    "FIGURE_5C": (2.4, "EaPU, caption of Fig. 5c (STATED)"),
    "CMO_HFOX": (0.01, "Falcone et al., arXiv 2502.04524 (STATED-2nd)"),
}
"""Published standard deviation of the error of one write, µS, and its source."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Ask cells of every preset to cross their window and come back.

    Attributes:
        seed: of the errors of the writes.
        n_chips: cells per preset, each a chip of its own.
        n_requests: in either direction; a device of few levels gets as many as it has
            steps.
    """

    seed: Seed = 0
    n_chips: Plural = 256
    n_requests: Annotated[int, bounds(4, 10_000)] = 64

    __post_init__ = check


PRESETS = {"smoke": Config(n_chips=16, n_requests=8), "large": Config(n_chips=4096)}


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What one response curve depends on.

    Attributes:
        crossbar: a name of `eapu_jax.presets`.
        n_requests: in either direction (structural).
    """

    crossbar: Annotated[str, one_of(*CROSSBARS)] = "PUBLIC_CODE"
    n_requests: Width = 64

    __post_init__ = check


def simulate(
    point: Any, chip: Any, keys: Keys, trace: bool = False
) -> dict[str, jax.Array]:
    """Ask one cell for a `Curve`: to rise in equal requests, then to fall.

    Returns:
        Conductance `g` before the first and after every request, µS. A device that
        has fewer steps than there are requests is asked once per step.
    """
    del chip, trace
    crossbar, n = CROSSBARS[point.crossbar], point.n_requests
    low, high = window(crossbar)
    steps = min(n, getattr(crossbar.device, "levels", n + 1) - 1)
    start, dg = low[None], (high - low) / steps
    g = response(keys.chip, crossbar.device, dg, n=steps, start=start)[:, 0]
    return {"g": g[jnp.arange(2 * n + 1) * steps // n]}


def window(crossbar: ej.Crossbar) -> tuple[jax.Array, jax.Array]:
    """The lowest and the highest conductance of weights from -1 to 1, µS."""
    w = jnp.array([-1.0, 1.0])
    g = crossbar.encoding.to_cells(w, jnp.float32(crossbar.r_wg))
    return g.min(), g.max()


def defaults(config: Config) -> Curve:
    """What one curve depends on."""
    return base_of(Curve, config)


def sweeps(config: Config) -> dict[str, Sweep]:
    """Many cells of every preset."""
    curves = Sweep(
        simulate=simulate,
        base=defaults(config),
        axes={"crossbar": tuple(CROSSBARS)},
        chips=config.n_chips,
        key=config.seed,
        dims=DIMS,
    )
    return {"curves": curves}


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """The curves, and how much a request errs: see `error`."""
    dataset = found["curves"][["g"]].isel(seed=0, drop=True).load()
    ends = np.array([window(CROSSBARS[str(n)]) for n in dataset.crossbar.values])
    asked = 1 - abs(1 - dataset.request / config.n_requests)
    asked.attrs = {"long_name": "asked, share of the window", "units": "1"}
    dataset["g"].attrs = {"long_name": "conductance", "units": "µS"}
    dataset["error"] = error(dataset.g, config.n_requests)
    dataset["ends"] = ("crossbar", "end"), ends, {"units": "µS"}
    said = [STATED.get(str(n), (np.nan,))[0] for n in dataset.crossbar.values]
    dataset["published"] = "crossbar", said, {"units": "µS"}
    return dataset.assign(asked=asked).assign_attrs(data="presets of eapu_jax")


def error(g: xr.DataArray, n: int) -> xr.DataArray:
    """What requests of the middle half of the rise miss their mean by, µS.

    Returns:
        Root mean square over these requests, of every cell.
    """
    step = g.diff("request").isel(request=slice(n // 4, n - n // 4))
    cells = g.sizes["chip"]
    off = (step - step.mean("chip")) * (cells / (cells - 1)) ** 0.5
    made = (off**2).mean("request") ** 0.5
    return made.assign_attrs(long_name="error of one request", units="µS")


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The published write errors, read off again: they went in, so a trend at best."""
    return [
        judged(
            dataset,
            f"{name}: error of one write (ours: read off the response curve of the "
            "preset, whose constant it is)",
            source,
            spread(dataset.error.sel(crossbar=name), 0.05),
            partial(within_reach, sd),
            published=sd,
            unit="µS",
        )
        for name, (sd, source) in STATED.items()
    ]
