"""What is published of natural gradients by waiting, held against `tngd`.

The settings are STATED, the network is not: no accuracy can be compared, only which of
two is ahead. Differences are of the same seeds, in points of test accuracy.
"""

from collections.abc import Callable
from functools import partial

import xarray as xr

from experiments.claims import Claim, above, below, both, judged, monotone

TEXT, SECOND = "arXiv 2405.13817", "a text about arXiv 2405.13817 (second hand)"


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Time, noise and delay, each as the data say."""
    return [*_of_time(dataset), *_of_noise(dataset), *_of_delay(dataset)]


def _points(
    dataset: xr.Dataset,
    claim: str,
    source: str,
    found: xr.DataArray,
    rule: Callable[[float, float], str],
    *also: str,
) -> Claim:
    return judged(dataset, claim, source, found, rule, unit="points", also=also)


def _of_time(dataset: xr.Dataset) -> list[Claim]:
    last, first = dataset.isel(epoch=-1), dataset.isel(epoch=0)
    times, tau = last.accuracy_times, float(dataset.time[-1])
    exact = last.accuracy_rivals.sel(rival="natural")
    adam = first.accuracy_rivals.sel(rival="adam")
    rising = monotone(times.median("seed").values.tolist(), slack=1.0)
    near = (
        "t = 50 tau is about the natural gradient (ours: accuracy at "
        f"{tau:g} tau less that of the exact one; within 1 point)"
    )
    longer = (
        "the longer the board relaxes the better (ours: longest time less none, "
        "medians rising)"
    )
    ahead = f"it is ahead of Adam at first (ours: after one epoch, {tau:g} tau)"
    gain = times.isel(time=-1) - times.isel(time=0)
    lead = first.accuracy_times.isel(time=-1) - adam
    return [
        _points(dataset, near, TEXT, times.isel(time=-1) - exact, partial(_near, 1.0)),
        _points(dataset, longer, TEXT, gain, partial(above, 0.0), rising),
        _points(dataset, ahead, SECOND, lead, partial(above, 0.0)),
    ]


def _of_noise(dataset: xr.Dataset) -> list[Claim]:
    noises, tau = dataset.accuracy_noises.isel(epoch=-1), dataset.noise_time

    def row(kappa: float, word: str, rule: Callable, bound: str) -> Claim:
        at = noises.sel(board_noise=kappa, method="nearest")
        claim = (
            f"noise of {kappa:g} is {word} (ours: accuracy lost to kappa0 = "
            f"{float(at.board_noise):g} at {tau:g} tau; {bound} 1 point)"
        )
        lost = noises.isel(board_noise=0) - at
        return _points(dataset, claim, TEXT, lost, partial(rule, 1.0))

    return [row(0.01, "harmless", below, "below"), row(0.1, "visible", above, "above")]


def _of_delay(dataset: xr.Dataset) -> list[Claim]:
    last, tau = dataset.isel(epoch=-1), dataset.delay_time
    delays = last.accuracy_delays
    late, prompt = delays.isel(delay=-1), delays.isel(delay=0)
    board = f"a board never reset, {float(late.delay):g} tau late"
    against = {
        f"a delay helps as momentum does (ours: {board}, less one that is reset, at "
        f"{tau:g} tau)": (TEXT, last.accuracy_times.sel(time=tau)),
        f"the delay itself helps (ours: {board}, less one that is "
        f"{float(prompt.delay):g} tau late)": (TEXT, prompt),
        f"with a delay it is better than the exact natural gradient (ours: {board})": (
            SECOND, last.accuracy_rivals.sel(rival="natural"),
        ),
    }  # fmt: skip
    return [
        _points(dataset, claim, source, late - other, partial(above, 0.0))
        for claim, (source, other) in against.items()
    ]


def _near(bound: float, low: float, high: float) -> str:
    """The whole band within a bound on either side of zero."""
    return both(above(-bound, low, high), below(bound, low, high))
