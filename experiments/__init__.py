"""Everything that computes a figure or a table: `python -m experiments list`."""

EXPERIMENTS: dict[str, str] = {
    "scheme": "experiments.memristor.scheme",
    "write_noise": "experiments.memristor.write_noise",
    "threshold": "experiments.memristor.threshold",
    "update_ratio": "experiments.memristor.update_ratio",
    "endurance": "experiments.memristor.endurance",
    "residual_law": "experiments.memristor.residual_law",
    "rivals": "experiments.memristor.rivals",
    "hybrid": "experiments.memristor.hybrid",
    "levels": "experiments.memristor.levels",
    "robustness": "experiments.memristor.robustness",
    "drift": "experiments.memristor.drift",
    "limited_states": "experiments.memristor.limited_states",
    "energy": "experiments.memristor.energy",
    "tops_per_watt": "experiments.memristor.tops_per_watt",
    "device_response": "experiments.memristor.device_response",
    "chip_yield": "experiments.memristor.chip_yield",
    "resnet_cifar10": "experiments.deep.resnet_cifar10",
    "super_resolution": "experiments.deep.super_resolution",
    "denoising": "experiments.deep.denoising",
    "resnet152_cifar100": "experiments.deep.resnet152_cifar100",
    "swin": "experiments.deep.swin",
    "language": "experiments.deep.language",
    "spu_sampling": "experiments.thermodynamic.spu_sampling",
    "spu_inversion": "experiments.thermodynamic.spu_inversion",
    "spu_error_budget": "experiments.thermodynamic.spu_error_budget",
    "spu_inductor_free": "experiments.thermodynamic.spu_inductor_free",
    "spu_connectivity": "experiments.thermodynamic.spu_connectivity",
    "spu_scaling": "experiments.thermodynamic.spu_scaling",
    "spu_solvers": "experiments.thermodynamic.spu_solvers",
    "board_twin": "experiments.thermodynamic.board_twin",
    "denoising_chain": "experiments.thermodynamic.denoising_chain",
    "generate": "experiments.thermodynamic.generate",
    "tla": "experiments.thermodynamic.tla",
    "mitigation": "experiments.thermodynamic.mitigation",
    "tngd": "experiments.thermodynamic.tngd",
    "both_halves": "experiments.memristor.both_halves",
    "gp_regression": "experiments.thermodynamic.gp_regression",
    "last_layer": "experiments.thermodynamic.last_layer",
}
"""Name -> module, in the order in which `reproduce` runs them."""

ON_REQUEST = (
    "residual_law", "rivals", "hybrid", "levels", "robustness", "drift",
    "limited_states", "spu_solvers", "board_twin", "generate", "tla", "mitigation",
    "tngd", "both_halves",
    "gp_regression", "last_layer",
    "denoising_chain", "resnet_cifar10", "super_resolution", "denoising",
    "resnet152_cifar100", "swin", "language",
)  # fmt: skip
"""Those that `reproduce` leaves out unless it is asked for `all` or by name: with the
others it takes ten minutes on two cores."""
