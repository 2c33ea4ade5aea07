"""What trainings of restoring networks show, and what is judged of it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from experiments.claims import Claim, above, below, judged, spread
from experiments.contract import Sweep
from experiments.deep.restoration import (
    DIMS,
    RestorationSetting,
    patches_of,
    require_photographs,
)
from experiments.deep.restoration_figure import scored

RULES = ("noisy", "eapu")
PRESS = "press coverage of the paper"
SCORES = ("psnr", "ssim")
SHOWN = ("given", "truth")
NEAR = {"psnr": 1.0, "ssim": 0.02}
"""What EaPU may lose against the ideal training, dB and as a number: ours, the source
says no more than "comparable"."""


def sweeps(config: RestorationSetting, simulate: Any) -> dict[str, Sweep]:
    """Both rules, and the ideal training."""
    require_photographs(config)
    return config.beside_ideal(simulate, axes={"rule": RULES}, dims=DIMS)


def derive(config: RestorationSetting, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Curves and pictures of the ideal training and of both rules, and the input's."""
    shown = config.shown()
    swept = found["network"][[*SCORES, "update_ratio", "restored"]].load()
    beside = found["network_ideal"].load().isel(chip=0, drop=True)
    ideal = {name: f"{name}_ideal" for name in (*SCORES, "restored")}
    kept = [*ideal, *(f"{name}_input" for name in SCORES), *SHOWN]
    dataset = swept.merge(beside[kept].rename(ideal))
    for name in SCORES:  # the input is tested after every epoch, on the same noise
        dataset[f"{name}_input"] = dataset[f"{name}_input"].isel(epoch=-1)
    for name in dataset.data_vars:
        dataset[name].attrs["units"] = "dB" if str(name).startswith("psnr") else "1"
    return dataset.assign_coords(epoch=np.arange(1, config.epochs + 1)).assign_attrs(
        data=patches_of(config).provenance,
        published_ssim=shown.published_ssim,
        write_noise_uS=config.write_noise,
        title=f"{shown.what}, {shown.how}",
        given=shown.given,
    )


def claims(dataset: xr.Dataset) -> list[Claim]:
    """The published SSIM, nearness to ideal, failure of noisy backpropagation.

    Network and data of the hardware are UNKNOWN, so that no SSIM of ours can reproduce
    the published one; that it is as good as conventional training is a trend.
    """
    what = dataset.attrs["title"].partition(",")[0]
    given = {name: dataset[f"{name}_input"] for name in SCORES}
    last: dict[tuple[str, str], xr.DataArray] = {
        (name, rule): scored(dataset, name, rule).isel(epoch=-1)
        for name in SCORES
        for rule in ("ideal", *RULES)
    }
    lost = {name: last[name, "ideal"] - last[name, "eapu"] for name in SCORES}
    gained = {name: last[name, "eapu"] - given[name] for name in SCORES}
    at = f"SD = threshold = {dataset.attrs['write_noise_uS']:g} µS"

    def row(claim: str, values: Any, rule: Any, **more: Any) -> Claim:
        return judged(dataset, f"{what}: {claim}", PRESS, values, rule, **more)

    return [
        row(
            "SSIM on hardware, as good as conventional training's (ours: EaPU simulated"
            f" at {at}, last epoch; network and data of the hardware UNKNOWN, so the "
            "values do not compare; trend: above the input's and less than "
            f"{NEAR['ssim']:g} below ideal)",
            last["ssim", "eapu"],
            partial(above, float(given["ssim"].max())),
            published=dataset.attrs["published_ssim"],
            also=[below(NEAR["ssim"], *_ends(lost["ssim"]))],
        ),
        row(
            f"EaPU restores as well as conventional training (ours: PSNR lost against "
            f"ideal; trend: less than {NEAR['psnr']:g} dB, and above the input)",
            lost["psnr"],
            partial(below, NEAR["psnr"]),
            unit="dB",
            also=[above(0.0, *_ends(gained["psnr"]))],
        ),
        row(
            "noisy backpropagation fails (ours: PSNR gained over the input; trend: "
            "below 0, where ideal gains)",
            last["psnr", "noisy"] - given["psnr"],
            partial(below, 0.0),
            unit="dB",
            also=[above(0.0, *_ends(last["psnr", "ideal"] - given["psnr"]))],
        ),
    ]


def _ends(values: xr.DataArray) -> tuple[float, float]:
    low, _, high = spread(values)
    return low, high
