"""Denoising of photographs by a network that learns on noisy arrays."""

from collections.abc import Mapping
from typing import Annotated, Any

from flax import linen as nn

from chipsweep import Keys
from experiments.contract import Sweep, base_of
from experiments.deep import restoration_judged as judging
from experiments.deep.restoration import DIMS as DIMS
from experiments.deep.restoration import (
    Photographed,
    Restoration,
    RestorationSetting,
    Shown,
    Worse,
    restore,
)
from experiments.deep.restoration import defaults as defaults
from experiments.deep.restoration_figure import plot as plot
from experiments.deep.restoration_judged import claims as claims
from experiments.deep.restoration_judged import derive as derive
from experiments.learning.networks import autoencoder, dncnn
from experiments.learning.restoration import noisy
from experiments.validate import Count, CountOrZero, Plural, Positive, Width, one_of

REPRODUCES = "EaPU, image denoising (hardware: network, data, noise UNKNOWN)"
PUBLISHED_SSIM = 0.896
"""On hardware (PRESS); network, data and noise of the images: UNKNOWN."""


class Cleaning(Photographed):
    """How noisy photographs are, and which network cleans them.

    Attributes:
        network: "dncnn" (Zhang et al. 2017: it finds the noise) or "autoencoder" (its
            shape ASSUMED, nothing of the input is passed by).
        depth: convolutions of "dncnn", or halvings of "autoencoder" (structural).
        width: channels within; of "autoencoder" in its first halving, then twice as
            many each (structural).
        image_noise: standard deviation, on the scale from 0 to 255.
    """

    network: Annotated[str, one_of("dncnn", "autoencoder")] = "dncnn"
    depth: Plural = 5
    width: Width = 32
    image_noise: Positive = 25.0

    def __post_init__(self):
        """Check every field; the halvings of an autoencoder must come out even."""
        super().__post_init__()
        if self.network == "autoencoder":
            even = self.side % 2**self.depth == 0
            self.require(even, "side", f"a multiple of 2^depth = {2**self.depth}")
            self.require(self.depth <= 5, "depth", "must be at most 5 for pictures")


class Denoising(Cleaning, Restoration):
    """What the training of one denoiser depends on; numbers may be swept."""


class Config(RestorationSetting, Cleaning):
    """Clean photographs of noise under one write noise, threshold = SD.

    Attributes:
        write_noise: SD(eps_cell) and threshold, uS.
        learning_rate: of the optimizer, at the start, the same for all rules.
        test_at_once: test patches at once, a divisor of all; all when 0.
    """

    n_train: Count = 800
    batch_size: Count = 8
    swing: Positive = 16.0
    test_at_once: CountOrZero = 0

    def trainings(self) -> Mapping[str, Denoising]:
        """What one training depends on, before its rule is chosen."""
        return {"network": base_of(Denoising, self)}

    def shown(self) -> Shown:
        """What a figure says of it."""
        how = f"{self.network}, noise of SD {self.image_noise:g}/255"
        return Shown("denoising", how, "noisy", PUBLISHED_SSIM)


PRESETS = {
    "smoke": Config(
        n_seeds=1, side=16, n_train=32, n_test=8, batch_size=8, depth=2, width=4,
        epochs=2,
    ),
    "autoencoder": Config(network="autoencoder", depth=2, width=32),
    "bsd": Config(photographs="bsd400", judges="set12"),
    "full": Config(
        photographs="bsd400", judges="bsd68", side=40, n_train=102_400, n_test=1024,
        batch_size=128, depth=17, width=64, epochs=50, schedule="tenths",
        step_epochs=30, test_at_once=64,
    ),
}  # fmt: skip
"""Beside the default: smaller and larger. "full" is DnCNN-S of Zhang et al. (17 layers,
patches of 40 pixels, batches of 128; RECALLED), since the network of the paper is
UNKNOWN; the number of patches is ours; Adam at 1e-3, a tenth of it after 30 of 50
epochs, as in ports of it (RECALLED). Where BSD is not at hand, the bundled photographs
stand in."""


def network(point: Any) -> nn.Module:
    """The network of a point."""
    if point.network == "dncnn":
        return dncnn(point.depth, point.width)
    return autoencoder(tuple(point.width * 2**k for k in range(point.depth)))


def worse(point: Any) -> Worse:
    """Gaussian noise, drawn anew for every batch that is learnt; gray is 0 on a line.

    What DnCNN takes the noise from has the swing of its outputs; an autoencoder ends
    with a sigmoid.
    """

    def degraded(key, x):
        return noisy(key, x, point.image_noise)

    if point.network == "autoencoder":
        return Worse(degraded, _same, lambda given: 2 * given - 1)
    swing = point.swing
    return Worse(
        degraded,
        _same,
        lambda given: swing * (given - 0.5),
        lambda outputs, shown: 0.5 + outputs / swing,
    )


def _same(given: Any) -> Any:
    return given


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Train one denoiser on one chip, see `experiments.deep.restoration.restore`."""
    del chip
    return restore(point, keys, network(point), worse(point))


def sweeps(config: Config) -> dict[str, Sweep]:
    """Both rules, and the ideal training."""
    return judging.sweeps(config, simulate)
