"""Chains of Boltzmann machines that undo noise, beside one machine for all of it.

Twice: with ten spins, where the law of what is generated is known exactly, and with 144
spins on a sparse grid, on digits of 8 x 8 pixels in black and white.
"""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from chipsweep import Structural
from experiments.contract import Seeded, Sweep, base_of, listed
from experiments.thermodynamic import denoising_small as small
from experiments.thermodynamic.denoising_chain_claims import claims as claims
from experiments.thermodynamic.denoising_chain_figure import plot as plot
from experiments.thermodynamic.denoising_digits import DIMS as DIMS
from experiments.thermodynamic.denoising_digits import (
    PIXELS,
    SHOWN,
    Chained,
    digits,
)
from experiments.thermodynamic.denoising_digits import simulate as simulate
from experiments.validate import Ascending, Count, Plural, Width
from thermo import denoising

REPRODUCES = "DTM: a denoising chain of Boltzmann machines beside a monolithic one"
SMALL_DIMS = {"divergence": ("sweeps",)}


class Config(Seeded):
    """Chains of several lengths, on few spins and on digits.

    Attributes:
        steps: T, machines of a chain; 1 is the monolithic one.
        side: of the grid of spins for digits.
        updates: of each machine on digits.
        training_sweeps: of free spins in an update.
        sweeps: K of each machine in generation on digits, ascending.
        n_samples: that are generated.
        small_updates: of each machine of few spins.
        large_hidden: hidden spins of one more monolithic machine of few spins.
        n_chips: chains of each kind.
    """

    steps: Ascending[Count] = (1, 2, 4)
    side: Width = 12
    updates: Count = 600
    training_sweeps: Plural = 20
    sweeps: Ascending[Count] = (5, 20, 80, 320)
    n_samples: Plural = 400
    small_updates: Count = 800
    large_hidden: Count = 6
    n_chips: Count = 2

    def __post_init__(self):
        """Check every field; a chain is compared with one machine."""
        super().__post_init__()
        self.require(1 in self.steps, "steps", "1 must be in it, to compare with")
        words = "must be at most 8: 14 spins can be enumerated"
        self.require(self.large_hidden <= 8, "large_hidden", words)
        defaults(self)


def defaults(config: Config) -> Chained:
    """What one chain on digits depends on."""
    return base_of(Chained, config, n_steps=config.steps[-1])


PRESETS = {
    "smoke": Config(
        steps=(1, 2),
        updates=5,
        training_sweeps=2,
        sweeps=(2, 4),
        n_samples=20,
        small_updates=60,
        large_hidden=5,
        n_chips=1,
    ),
    "large": Config(steps=(1, 2, 3, 4, 8), side=24, updates=4000, n_chips=8),
}


def sweeps(config: Config) -> dict[str, Sweep]:
    """Chains on digits; chains of few spins, and a monolithic machine with more."""
    base = defaults(config)
    axes = {"n_steps": Structural(config.steps)}
    n = config.n_chips
    few = base_of(
        small.Small, config, updates=config.small_updates, sweeps=small.SWEEPS
    )
    kinds = [{"n_steps": t, "n_hidden": few.n_hidden} for t in config.steps]
    kinds.append({"n_steps": 1, "n_hidden": config.large_hidden})
    points = listed(few, kinds)
    points["axes"] = {k: Structural(v) for k, v in points["axes"].items()}
    return {
        "digits": config.sweep(simulate, base, axes=axes, chips=n, dims=DIMS, chunk=1),
        "small": config.sweep(
            small.enumerated, few, chips=2 * n, dims=SMALL_DIMS, **points
        ),
    }


PER_WRITE = tuple(np.geomspace(1, 1e8, 33).tolist())
"""Samples between two writings of a die that serves all steps."""


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Distances by updates, images, and energies by published prices."""
    large = found["digits"].isel(seed=0, drop=True).load()
    few = found["small"].isel(seed=0, drop=True).load()
    steps, base = config.steps, defaults(config)
    each = few.divergence.rename(sweeps="small_sweeps", chip="start")
    dataset = xr.Dataset(
        {
            "distance": large.distance,
            "image": large.image.isel(chip=0, drop=True),
            "divergence": _by_steps(each, steps),
            "wide_divergence": each.isel(point=-1, drop=True).reset_coords(drop=True),
            "energy": _energies(base, steps, config.sweeps[-1]),
        }
    )
    test = digits()[1]
    dataset["test_image"] = (
        ("shown", "pixel"),
        test[:: max(len(test) // SHOWN, 1)][:SHOWN],
    )
    dataset = dataset.assign_coords(
        sweeps=list(config.sweeps), small_sweeps=list(small.SWEEPS)
    )
    data = (
        f"{digits()[2]}; black at 0.5; {config.side} x {config.side} spins, 8 "
        f"neighbours; {config.updates} updates a machine with {config.training_sweeps} "
        "sweeps; few spins: bars and stripes of 2 x 3, 4 hidden, exact; ASSUMED: "
        "evenly fading noise, layout, MMD as the measure"
    )
    names = {"side": config.side, "large_hidden": config.large_hidden}
    return dataset.assign_attrs(data=data, **names)


def _by_steps(each: xr.DataArray, steps: tuple[int, ...]) -> xr.DataArray:
    chosen = each.isel(point=slice(len(steps))).reset_coords(drop=True)
    chosen = chosen.drop_vars("point", errors="ignore").rename(point="n_steps")
    return chosen.assign_coords(n_steps=list(steps))


def _energies(base: Chained, steps: tuple[int, ...], sweeps: int) -> xr.DataArray:
    """J per sample by steps and samples per write."""
    of = {"n_spins": base.side**2, "n_visible": PIXELS, "sweeps": sweeps}
    prices = denoising.Prices()
    found = [
        [
            float(denoising.sample_energy(prices, n_steps=t, samples_per_write=m, **of))
            for m in PER_WRITE
        ]
        for t in steps
    ]
    coords = {"n_steps": list(steps), "per_write": list(PER_WRITE)}
    return xr.DataArray(found, coords, ("n_steps", "per_write"))
