"""What is published of chains beside one machine, held against `denoising_chain`."""

from functools import partial

import xarray as xr

from experiments.claims import Claim, above, judged, not_attempted
from thermo.denoising.price import LEFT_OUT

REPLICA = "authors' replication of the DTM (FID on Fashion-MNIST, 70 x 70)"
SOURCE = "DTM paper, abstract (second hand)"


def equal_updates(values: xr.DataArray, over: str) -> xr.DataArray:
    """What one machine's is over the longest chain's, each at its best.

    Both may make so many updates in all at most, and stop before.

    Args:
        values: by `n_steps` and sweeps of each machine.
        over: dimension of the sweeps.
    """
    longest = int(values.n_steps[-1])
    both = [k for k in values[over].values if longest * k in values[over].values]
    k = both[-1] if both else values[over].values[-1]
    most = longest * k

    def best(steps: int) -> xr.DataArray:
        at = values.sel(n_steps=steps, drop=True)
        return at.sel({over: at[over] * steps <= most}).min(over)

    return best(1) / best(longest)


def claims(dataset: xr.Dataset) -> list[Claim]:
    """What was published of chains beside one machine; energy is not judged."""
    longest = int(dataset.n_steps[-1])
    energy = float(dataset.energy.sel(n_steps=longest).isel(per_write=-1))
    words = "a denoising chain is better than one machine after as many updates in all"
    return [
        judged(
            dataset,
            f"{words} (ours: digits, MMD from test images of one machine over that of "
            f"{longest})",
            REPLICA,
            equal_updates(dataset.distance, "sweeps"),
            partial(above, 1.0),
            unit="times",
        ),
        judged(
            dataset,
            f"{words} (ours: bars and stripes, exact divergence of one machine over "
            f"that of {longest})",
            REPLICA,
            equal_updates(dataset.divergence.sel(small_sweeps=slice(None, 64)),
                          "small_sweeps"),
            partial(above, 1.0),
            unit="times",
        ),
        not_attempted(
            "10,000 times less energy than a GPU at parity of images (ours: "
            f"{1e9 * energy:.2g} nJ a sample by prices of SPICE, no parity shown; left "
            f"out: {LEFT_OUT})",
            SOURCE, 1e4, "times",
        ),
    ]  # fmt: skip
