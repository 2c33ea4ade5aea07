"""Super-resolution of photographs by a network that learns on noisy arrays."""

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
from experiments.learning.networks import srnet, srresnet
from experiments.learning.restoration import enlarged, reduced
from experiments.validate import Count, CountOrZero, Several, Width, bounds, one_of

REPRODUCES = "EaPU, SRNet x2 (hardware: network, data UNKNOWN) and SRResNet x4"
PUBLISHED_SSIM = 0.933
"""On hardware (PRESS); network and data: UNKNOWN."""


class Enlarging(Photographed):
    """How much photographs are enlarged, and by which network.

    Attributes:
        network: "srnet" (its shape ASSUMED; it learns what bicubic enlargement lacks,
            which hides a failure in SSIM, less in PSNR) or "srresnet", as in the
            public code.
        doublings: of the sides: 1 is x2, 2 is x4 (structural).
        widths: channels of each hidden convolution of "srnet"; of "srresnet" one.
        blocks: residual blocks of "srresnet" (structural).
    """

    network: Annotated[str, one_of("srnet", "srresnet")] = "srnet"
    doublings: Annotated[int, bounds(1, 3)] = 1
    widths: Several[Width] = (48, 48)
    blocks: Count = 16

    def __post_init__(self):
        """Check every field; sides must be halved evenly, and hold a window of SSIM."""
        super().__post_init__()
        even = self.side % 2**self.doublings == 0
        self.require(even, "side", f"a multiple of 2^doublings = {2**self.doublings}")
        least = 11 + 2 * 2**self.doublings
        self.require(self.side >= least, "side", f"{least} or more, border and window")
        one = self.network == "srnet" or len(self.widths) == 1
        self.require(one, "widths", "one width for srresnet")


class SuperResolution(Enlarging, Restoration):
    """What the training of one enlarging network depends on; numbers may be swept."""


class Config(RestorationSetting, Enlarging):
    """Enlarge photographs under one write noise, threshold = SD.

    Attributes:
        write_noise: SD(eps_cell) and threshold, uS.
        learning_rate: of the optimizer, at the start, the same for all rules.
        test_at_once: test patches at once, a divisor of all; all when 0.
    """

    test_at_once: CountOrZero = 0

    def trainings(self) -> Mapping[str, SuperResolution]:
        """What one training depends on, before its rule is chosen."""
        return {"network": base_of(SuperResolution, self)}

    def shown(self) -> Shown:
        """What a figure says of it."""
        how = f"{self.network} x{2**self.doublings}"
        return Shown("super-resolution", how, "bicubic", PUBLISHED_SSIM)


PRESETS = {
    "smoke": Config(
        n_seeds=1, side=16, n_train=32, n_test=8, batch_size=8, widths=(4,), epochs=2,
    ),
    "bsd": Config(photographs="bsd400", judges="set14"),
    "full": Config(
        photographs="kodak24", judges="set5", colours="colour", side=96,
        n_train=4000, n_test=24, network="srresnet", doublings=2, widths=(64,),
        blocks=16, learning_rate=1e-4, schedule="constant", epochs=50,
        batch_size=16,
    ),
}  # fmt: skip
"""Beside the default: smaller and larger. "full" is the SRResNet x4 of the authors'
public command (STATED: Adam at 1e-4, no schedule, batches of 16, 50 epochs, 24 to 96
pixels, squared error); their ImageNet subset is not public, so the photographs and the
number of patches are ours (ASSUMED)."""


def network(point: Any) -> nn.Module:
    """The network of a point."""
    if point.network == "srnet":
        return srnet(point.widths, 2**point.doublings)
    (width,) = point.widths
    return srresnet(width, point.blocks, point.doublings)


def worse(point: Any) -> Worse:
    """Bicubic reduction; beside the network stands bicubic enlargement.

    SRResNet takes and gives images in [0, 1], as in the public code.
    """
    factor = 2**point.doublings

    def degraded(key, x):
        return reduced(x, factor)

    def shown(given):
        return enlarged(given, factor)

    if point.network == "srresnet":
        return Worse(degraded, shown, border=factor)
    return Worse(
        degraded,
        shown,
        lambda given: 2 * given - 1,
        lambda outputs, shown: shown + outputs / point.swing,
        factor,
    )


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Train one network on one chip, see `experiments.deep.restoration.restore`."""
    del chip
    return restore(point, keys, network(point), worse(point))


def sweeps(config: Config) -> dict[str, Sweep]:
    """Both rules, and the ideal training."""
    return judging.sweeps(config, simulate)
