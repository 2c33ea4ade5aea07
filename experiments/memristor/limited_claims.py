"""What was published of few states, held against the ends of our trainings."""

from functools import partial

import xarray as xr

from experiments.claims import Claim, above, below, judged, not_attempted

LI, WU = "Li et al., arXiv 2510.02516", "Wu et al., arXiv 2502.06309"
NEAR = 5.0
"""Points of accuracy that count as rivalling (ASSUMED)."""
LEARNT = 50.0
"""Percent, from which on a rule counts as having learnt (ASSUMED)."""


def claims(dataset: xr.Dataset) -> list[Claim]:
    """Orders that were published; the published accuracies are UNKNOWN to us.

    A short training is not a fair one for a residual: at the published learning rate
    mixed precision collects for thousands of steps until a pulse of four states is due.
    """
    tables = [
        not_attempted(words, source)
        for words, source in (
            (
                "accuracies of LeNet-5 on MNIST at 4 and 10 states (UNKNOWN)",
                "2510.02516",
            ),
            ("ResNet-18 and -34 on CIFAR-10, 8 tiles of 4 states", "arXiv 2510.02516"),
            ("accuracies of the MLP at 1,200 states (UNKNOWN)", "arXiv 2502.06309"),
            ("ResNets and MobileNets fine-tuned on CIFAR", "arXiv 2502.06309"),
        )
    ]
    return [*_tiles(dataset), *_toy(dataset), *tables]


def _tiles(dataset: xr.Dataset) -> list[Claim]:
    if not {"multi_tile", "tiki_taka", "tiki_taka_v2"} <= set(dataset.rule.values):
        return []
    final = 100 * dataset.final_lenet
    many = final.sel(rule="multi_tile", drop=True)
    two = final.sel(rule=["tiki_taka", "tiki_taka_v2"]).max("rule")
    where = f"LeNet, {dataset.attrs['lenet_states']} states"
    found = [
        judged(
            dataset,
            f"{where}: tiles beat Tiki-Taka v1 and v2 (ours: gain over the better)",
            LI, many - two, partial(above, 0.0), unit="points",
        )
    ]  # fmt: skip
    if "mixed_precision" in dataset.rule.values:
        mixed = final.sel(rule="mixed_precision", drop=True)
        words = f"{where}: tiles rival mixed precision"
        found.append(_rivalry(dataset, words, mixed, many))
    return found


def _rivalry(
    dataset: xr.Dataset, words: str, mixed: xr.DataArray, many: xr.DataArray
) -> Claim:
    """A rival that has not learnt says nothing."""
    if float(mixed.median()) < LEARNT:
        why = "has hardly written in so short a training"
        return not_attempted(f"{words} (ours: mixed precision {why})", LI)
    words = f"{words} (ours: loss, below {NEAR:g})"
    rule = partial(below, NEAR)
    return judged(dataset, words, LI, mixed - many, rule, unit="points")


def _toy(dataset: xr.Dataset) -> list[Claim]:
    """Ends of the least squares where pulses are most uneven, if they are at all."""
    most = float(dataset.uneven.max())
    if most == 0:
        return []
    ends = dataset.toy_end.sel(uneven=most, reference=1.0)
    ratio = ends.sel(toy_rule="tiki_taka") / ends.sel(toy_rule="residual_learning")
    words = (
        "least squares on uneven pulses: Tiki-Taka stops where residual learning "
        f"converges (ours: losses at the end, their ratio, pulses {100 * most:g} % "
        "smaller downwards, arrays that read 0 at the symmetric point; above 10 counts)"
    )
    return [judged(dataset, words, WU, ratio, partial(above, 10.0), unit="times")]
