"""The board behind the example of voltages, and how far one record of it can be off.

`main()` identifies 100 records as long as that of
`examples/synthetic_two_node_board.csv`, each of the same board, and prints mean and
standard deviation of what was found, less the truth.
"""

from dataclasses import replace

import jax
import jax.random as jr
import numpy as np

import thermo
from thermo.circuits import RCBoard, two_node_board
from thermo.identify import identify

TRUTH = {
    "resistance[0]": 5.090932,
    "resistance[1]": 3.289275,
    "coupling_conductance[0, 1]": 0.14704248,
    "noise[0]": 2.5677934e-6,
    "noise[1]": 2.4876417e-6,
}
"""What was drawn: kΩ, mS, mA² µs; off by 5 % (resistors) and 10 % (noise) rms."""
SAMPLES, INTERVAL = 4000, 20.0
"""Of the record, µs."""


def board() -> RCBoard:
    """The board that the record is of."""
    first, second, coupling, *noise = TRUTH.values()
    return replace(
        two_node_board(),
        resistance=np.array([first, second]),
        coupling_conductance=np.array([[0.0, coupling], [coupling, 0.0]]),
        noise=np.array(noise),
    )


def errors(records: int, samples: int = SAMPLES) -> np.ndarray:
    """What was found over the truth, less 1: a row for each record.

    Args:
        records: how many, each with its own noise.
        samples: in a record.
    """
    step, paper = thermo.propagator(board(), INTERVAL), two_node_board()
    found = []
    for k in range(records):
        v = np.asarray(thermo.trajectory(jr.key(k), step, samples))
        one = identify(paper, v, INTERVAL, known=("ground_capacitance",))
        found.append(one.values)
    return np.array(found) / np.array([*TRUTH.values()]) - 1


def main(records: int = 100) -> None:
    """Print mean and standard deviation of the errors of every component."""
    with jax.enable_x64(True):
        off = errors(records)
    for name, mean, sd in zip(TRUTH, off.mean(0), off.std(0), strict=True):
        error = sd / np.sqrt(records)
        print(f"{name}: mean {mean:+.1%} (± {error:.1%}), SD {sd:.1%}")
    large = np.mean(np.abs(off[:, 0]) >= 0.127)
    print(f"resistance[0] off by 12.7 % or more: {large:.0%} of records")


if __name__ == "__main__":
    main()
