"""Everything that computes a figure or a table: `python -m experiments list`."""

EXPERIMENTS: dict[str, str] = {
    "scheme": "experiments.memristor.scheme",
    "write_noise": "experiments.memristor.write_noise",
    "threshold": "experiments.memristor.threshold",
    "update_ratio": "experiments.memristor.update_ratio",
    "endurance": "experiments.memristor.endurance",
    "chip_yield": "experiments.memristor.chip_yield",
}
"""Name -> module, in the order in which `reproduce` runs them."""
