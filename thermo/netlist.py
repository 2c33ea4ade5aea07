"""A board as a SPICE netlist: the same circuit for an independent simulator.

`to_spice(board, ...)` writes a complete deck in SI units. Node i of the board is
`n{i}`, counted from 0. Noise is an ngspice `trnoise` current source in each node: a new
normal value every `noise_step`, joined by straight lines. At frequencies well below
1 / `noise_step` its two-sided density is `amplitude**2 * noise_step`, so the amplitude
is sqrt(2 kappa / noise_step). Run the deck with

    ngspice -b board.cir

and read the columns time, v(n0), v(n1), ... (s, V) from the file that its `wrdata` line
names. The noise must be white; a cubic or saturating element becomes a behavioural
source, an op-amp array a set of controlled ones.
"""

from collections.abc import Iterator

import numpy as np

from thermo import checks
from thermo.circuits.board import AbstractBoard
from thermo.circuits.imperfections import check_board
from thermo.circuits.op_amp import OpAmpBoard
from thermo.circuits.rc import RCBoard
from thermo.circuits.rlc import RLCBoard
from thermo.counts import check_count
from thermo.reals import is_traced

# SI values of our units: nF, mH, kOhm, us, mA (and mA/V, mS).
NANO, MILLI, KILO, MICRO = 1e-9, 1e-3, 1e3, 1e-6


def to_spice(
    board: AbstractBoard,
    *,
    t_stop: float,
    dt: float,
    seed: int,
    noise_step: float | None = None,
    output: str = "board.txt",
) -> str:
    """The netlist of one board, with noise, for an ngspice transient analysis.

    Args:
        board: RLC, RC or op-amp, with concrete values and white noise.
        t_stop: length of the run, µs; it starts from rest.
        dt: interval at which voltages are written, µs.
        seed: of the noise, at least 1.
        noise_step: interval between noise values, µs; None is `dt`. The noise is white
            below a tenth of its inverse: keep it well under the fastest time of the
            board.
        output: file that the run writes.

    Returns:
        Text of the deck.

    Raises:
        ValueError: naming an argument, or a field of the board, that no netlist has.

    Example:
        >>> import jax.numpy as jnp
        >>> board = RCBoard(ground_capacitance=jnp.ones(1), resistance=jnp.ones(1),
        ...                 noise=jnp.ones(1))
        >>> print(to_spice(board, t_stop=100.0, dt=0.1, seed=7), end="")
        * 1 noisy cells; run with: ngspice -b FILE
        Cg0 n0 0 1e-09
        Rg0 n0 0 1000
        In0 0 n0 trnoise(0.00447213595 1e-07 0 0)
        .option reltol=1e-05 abstol=4.47214e-10 vntol=4.47214e-05
        .tran 1e-07 0.0001 0 1e-07 uic
        .control
        setseed 7
        run
        linearize
        set wr_singlescale
        wrdata board.txt v(n0)
        quit
        .endc
        .end
    """
    check_board(board)
    noise_step = dt if noise_step is None else noise_step
    for name, value in (("t_stop", t_stop), ("dt", dt), ("noise_step", noise_step)):
        checks.interval(name, value)
        if is_traced(value):
            raise ValueError(f"{name} is traced: a netlist needs concrete values.")
    t_stop, dt, noise_step = (float(x) for x in (t_stop, dt, noise_step))
    checks.positive("seed", seed)
    check_count("seed", seed)
    if not isinstance(output, str) or not output or set(output) & set(" \t\r\n'\""):
        raise ValueError(f"output = {output!r}: must be a file name without blanks.")
    if not dt < t_stop:
        raise ValueError(f"dt = {dt}: must be less than t_stop = {t_stop}.")
    if board.noise_correlation_time is not None:
        raise ValueError(
            f"noise_correlation_time = {board.noise_correlation_time}: a netlist has "
            "white noise; it must be None."
        )
    board.check()
    if board.varies:
        raise ValueError(
            f"bias_current, input_voltage = {board.bias_current!r:.60}: must be no "
            "function of time, the drive of a netlist is constant."
        )
    board = board.in_reals()
    lines = [
        f"* {board.n_cells} noisy cells; run with: ngspice -b FILE",
        *_network(board),
        *_elements(board),
        *_noise(board, noise_step),
        *_analysis(board, t_stop, dt, noise_step, seed, output),
    ]
    return "\n".join(lines) + "\n"


def _network(board: AbstractBoard) -> Iterator[str]:
    """Everything linear, without the noise."""
    d = board.n_cells
    yield from _to_ground("Cg", _cells(board.ground_capacitance, d) * NANO)
    if isinstance(board, OpAmpBoard):
        for (i, j), g in np.ndenumerate(_value(board.conductance) * MILLI):
            yield f"G{i}_{j} n{i} 0 n{j} 0 {g:.9g}"
        drive = _cells(board.drive_current(), d) * MILLI
        yield from (f"Iin{i} 0 n{i} {current:.9g}" for i, current in enumerate(drive))
        return
    drive = _cells(board.drive_current(), d) * MILLI
    yield from (f"Iin{i} 0 n{i} {x:.9g}" for i, x in enumerate(drive) if x)
    assert isinstance(board, RLCBoard | RCBoard)
    yield from _between("C", _matrix(board.coupling, d) * NANO)
    resistance = _cells(board.resistance, d) * KILO
    yield from _to_ground("Rg", np.where(np.isinf(resistance), 0, resistance))
    if isinstance(board, RCBoard):
        conductance = _matrix(board.coupling_conductance, d) * MILLI
        with np.errstate(divide="ignore"):
            yield from _between("R", np.where(conductance > 0, 1 / conductance, 0))
        return
    for i, henry in enumerate(_cells(board.inductance, d) * MILLI):
        ohm = _cells(board.coil_resistance, d)[i] * KILO
        yield f"L{i} n{i} {f'm{i}' if ohm else '0'} {henry:.9g}"
        if ohm:
            yield f"Rc{i} m{i} 0 {ohm:.9g}"


def _elements(board: AbstractBoard) -> Iterator[str]:
    """Non-linear currents out of the nodes, where there are any."""
    d = board.n_cells
    cubic = _cells(board.cubic_conductance, d) * MILLI
    limit = _cells(board.saturation_current, d) * MILLI
    volt = _cells(board.saturation_voltage, d)
    for i in np.flatnonzero((cubic != 0) | (limit != 0)):
        current = (
            f"{cubic[i]:.9g}*v(n{i})^3 + {limit[i]:.9g}*tanh(v(n{i})/{volt[i]:.9g})"
        )
        yield f"B{i} n{i} 0 I = {current}"


def _noise(board: AbstractBoard, noise_step: float) -> Iterator[str]:
    """White noise of two-sided density 2 kappa, as currents into the nodes."""
    for i, amplitude in enumerate(_amplitudes(board, noise_step)):
        if amplitude:
            yield f"In{i} 0 n{i} trnoise({amplitude:.9g} {noise_step * MICRO:g} 0 0)"


def _analysis(board, t_stop, dt, noise_step, seed, output) -> list[str]:
    """Tolerances far below the noise, the run, and what it writes."""
    largest = _amplitudes(board, noise_step).max() or MILLI
    farad = _value(board.capacitance()).diagonal().max() * NANO
    abstol, vntol = 1e-7 * largest, 1e-4 * largest * noise_step * MICRO / farad
    step, most = dt * MICRO, min(dt, noise_step) * MICRO
    nodes = " ".join(f"v(n{i})" for i in range(board.n_cells))
    return [
        f".option reltol=1e-05 abstol={abstol:g} vntol={vntol:g}",
        f".tran {step:g} {t_stop * MICRO:g} 0 {most:g} uic",
        ".control",
        f"setseed {seed}",
        "run",
        "linearize",
        "set wr_singlescale",
        f"wrdata {output} {nodes}",
        "quit",
        ".endc",
        ".end",
    ]


def _amplitudes(board, noise_step):
    """Rms of each `trnoise` source, A."""
    kappa = _cells(board.noise, board.n_cells) * MILLI**2 * MICRO
    return np.sqrt(2 * kappa / (noise_step * MICRO))


def _to_ground(name: str, values: np.ndarray) -> Iterator[str]:
    """Components from each node to ground; zero is none."""
    yield from (f"{name}{i} n{i} 0 {x:.9g}" for i, x in enumerate(values) if x)


def _between(name: str, values: np.ndarray) -> Iterator[str]:
    """Components between pairs of nodes; zero is none."""
    for i, j in zip(*np.nonzero(np.triu(values, 1)), strict=True):
        yield f"{name}{i}_{j} n{i} n{j} {values[i, j]:.9g}"


def _value(x) -> np.ndarray:
    value = checks.concrete(x)
    if value is None:
        raise ValueError("board is traced: a netlist needs concrete component values.")
    return value.astype(float)


def _cells(x, d: int) -> np.ndarray:
    return np.broadcast_to(_value(x), (d,))


def _matrix(x, d: int) -> np.ndarray:
    return np.broadcast_to(_value(x), (d, d))
