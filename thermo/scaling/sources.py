"""Where each constant of a board and of a machine is from, with its label."""

_TNGD = "thermodynamic natural gradient descent, arXiv 2405.13817, App. C"
_TLA = "thermodynamic linear algebra, from memory"
_ANCHORS = (
    "one choice that meets a crossover near 3,000 dimensions and 10 times at 10,000; "
    "not the only one"
)

SOURCES = {
    "Board.bits": f"STATED: {_TNGD}",
    "Board.channel_rate": f"RECALLED: {_TLA}, 5,000 channels of 250 Mb/s; STATED for a "
    f"sister machine: 50 Gb/s ({_TNGD})",
    "Board.settling": f"INFERRED: {_ANCHORS}",
    "Board.interval": f"INFERRED: one RC, which is STATED to be 1 us ({_TNGD})",
    "Board.power": "ASSUMED: no figure is published",
    "Board.cell_power": "DERIVED: <v^2>/R of 0.1 V (ASSUMED) on 1 kOhm (STATED: TNGD)",
    "Board.conversion_energy": "ASSUMED: 98 dB at a figure of merit of 180 dB",
    "Board.accumulation_rate": "ASSUMED: that of products on the other machine",
    "Board.accumulation_energy": "ASSUMED: 300 W over that rate",
    "Machine.factor_rate": f"INFERRED: {_ANCHORS}",
    "Machine.product_rate": f"INFERRED: {_ANCHORS}",
    "Machine.normal_rate": f"INFERRED: left out; {_ANCHORS}",
    "Machine.overhead": f"INFERRED: {_ANCHORS}",
    "Machine.power": "GENERAL KNOWLEDGE: data sheet of an RTX A6000",
    "Machine.idle": "GENERAL KNOWLEDGE: such a card between two tasks",
}
"""Class and field -> label and source, as the docstrings have it."""
