"""From voltages to components: the one who asks, and the checks."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from thermo import checks
from thermo.circuits.board import AbstractBoard
from thermo.counts import check_count
from thermo.identify.components import (
    READOUT,
    Component,
    altered,
    check_alike,
    components,
    in_doubles,
    value_of,
)
from thermo.identify.covariances import Covariance
from thermo.identify.identified import Identified
from thermo.identify.samples import Samples, samples
from thermo.identify.scoring import CONVERGED, maximise
from thermo.identify.spectra import spectra
from thermo.identify.steps import Steps, steps


def identify(
    boards: AbstractBoard | Sequence[AbstractBoard],
    traces: Any,
    dt: float,
    *,
    known: Sequence[str] = (),
    nodes: Sequence[int] | None = None,
    readout_noise: float | None = None,
) -> Identified:
    r"""Component values of a board from records of its voltages at rest.

    The likelihood is exact: that of the discrete-time transition where all states are
    seen without error (an RC board), else that of the Kalman filter. It is maximised
    by Fisher scoring; standard errors are the inverse of the expected information. A
    filter takes its time: of boards with many coils, see `identify_spectra`.

    Args:
        boards: nominal; or the same board at several settings, which then has one
            factor for each component, between what is and what is nominal, at all.
        traces: voltages, V, `(samples, k)` or `(records, samples, k)`; a list of them
            where there are several settings. Their mean is 0: subtract no mean.
        dt: between samples, µs.
        known: names of fields or components that are as nominal: `("resistance",)` or
            `("resistance[0]", "noise[0]")`. Voltages alone fix no absolute impedance.
        nodes: those seen; None is all.
        readout_noise: rms of what the instrument adds to a sample, V: a first guess, or
            its value if it is among the `known`; None is an instrument without error.

    Returns:
        What was found.

    Raises:
        ValueError: naming an argument, its value and its bound; also if a node without
            noise leaves no likelihood.

    Example:
        >>> import jax, thermo
        >>> from thermo.circuits import two_node_board
        >>> board = two_node_board()
        >>> step = thermo.propagator(board, 20.0)
        >>> v = thermo.trajectory(jax.random.key(0), step, 4000)
        >>> found = identify(board, v, 20.0, known=("ground_capacitance",))
        >>> print(found.names[0], *found.intervals()[0].round(2), found.units[0])
        resistance[0] 3.97 5.41 kOhm
    """
    return _from_traces(_exactly, boards, traces, dt, known, nodes, readout_noise)


def identify_spectra(
    boards: AbstractBoard | Sequence[AbstractBoard],
    traces: Any,
    dt: float,
    *,
    known: Sequence[str] = (),
    nodes: Sequence[int] | None = None,
    readout_noise: float | None = None,
) -> Identified:
    r"""Component values of a board from long records, by their mean periodogram.

    Whittle's likelihood of segments of at least 16 relaxation times, with the expected
    periodogram in place of the spectrum: as good as `identify` but for a part of about
    relaxation time over segment, and no dearer for a record of 1e7 samples than for one
    of 1e4. For boards with coils, where the exact likelihood goes sample by sample.

    Args:
        boards: as for `identify`.
        traces: as for `identify`; at least 8 segments.
        dt: between samples, µs.
        known: as for `identify`.
        nodes: as for `identify`.
        readout_noise: as for `identify`.

    Returns:
        What was found.

    Raises:
        ValueError: as `identify`, or if the records are too short.
    """
    return _from_traces(spectra, boards, traces, dt, known, nodes, readout_noise)


def identify_covariances(
    boards: AbstractBoard | Sequence[AbstractBoard],
    covariances: Any,
    n_samples: Any,
    *,
    known: Sequence[str] = (),
) -> Identified:
    r"""Component values of a board from sample covariances at one or more settings.

    By the Wishart likelihood of second moments of independent samples. A covariance has
    no clock: conductances and noise s times as large leave it alone, so that one of
    them has to be known beside the impedance.

    Args:
        boards: nominal, one for each setting.
        covariances: mean of v v^T, V^2, `(d, d)`, or a list of them; no mean is
            subtracted.
        n_samples: independent samples behind each, at least d; one number, or a list
            beside a list of boards. Of correlated ones, `exact.effective_samples`.
        known: names of fields or components that are as nominal.

    Returns:
        What was found.

    Raises:
        ValueError: naming an argument, its value and its bound.

    Example:
        >>> from thermo.circuits import two_node_board
        >>> board = two_node_board()
        >>> exactly = Covariance(moment=0, count=1).law(board)
        >>> found = identify_covariances(board, exactly, 1000,
        ...                              known=("ground_capacitance", "noise"))
        >>> found.unidentified
        ()
    """
    one = isinstance(boards, AbstractBoard)
    boards, moments = _settings(boards, covariances, "covariances")
    counts = n_samples if isinstance(n_samples, list | tuple) and not one else None
    counts = [n_samples] * len(boards) if counts is None else [*counts]
    if len(counts) != len(boards):
        raise ValueError(f"n_samples: {len(counts)} of them for {len(boards)} boards.")
    for moment, count in zip(moments, counts, strict=True):
        checks.same_size("covariances", moment, boards[0].n_cells, "boards")
        checks.positive_definite("covariances", moment)
        check_count("n_samples", count, boards[0].n_cells)
    seen = [
        Covariance(moment=np.asarray(m, float), count=np.asarray(n, float))  # type: ignore[arg-type]
        for m, n in zip(moments, counts, strict=True)
    ]
    return _identified(boards, seen, components(boards, known))


def _from_traces(
    form: Callable[..., Any],
    boards: Any,
    traces: Any,
    dt: Any,
    known: Any,
    nodes: Any,
    readout_noise: Any,
) -> Identified:
    """Arguments checked, records in the form that a likelihood takes."""
    boards, traces = _settings(boards, traces, "traces")
    seen_nodes = _nodes(boards[0], nodes)
    checks.interval("dt", dt)
    records = [_record(v, len(seen_nodes)) for v in traces]
    if len(lengths := {v.shape for v in records}) > 1:
        raise ValueError(f"traces of shapes {sorted(lengths)}: they must be alike.")
    sought = _sought(boards, known, readout_noise)
    seen = [
        form(in_doubles(b), v, float(dt), seen_nodes, float(readout_noise or 0))
        for b, v in zip(boards, records, strict=True)
    ]
    return _identified(boards, seen, sought)


def _identified(
    boards: list[AbstractBoard], seen: list[Any], sought: tuple[Component, ...]
) -> Identified:
    nominal = [in_doubles(board) for board in boards]
    with jax.enable_x64(True):
        fit = maximise(_stacked(nominal), _stacked(seen), sought=sought)
        fit = jax.tree.map(np.asarray, fit)
        off = jax.numpy.asarray(fit.log_factors)
        found = [in_doubles(altered(b, sought, off)) for b in nominal]
    if not np.isfinite(fit.told.log_likelihood):
        raise ValueError(
            "boards: the record is not finite in likelihood at the nominal values. "
            "Every node needs noise, and nominal values near the true ones."
        )
    return Identified(
        boards=tuple(found),
        sought=sought,
        nominal=np.array([_nominal([*nominal, *seen], c) for c in sought]),
        log_factors=fit.log_factors,
        information=fit.told.information,
        log_likelihood=float(fit.told.log_likelihood),
        converged=bool(fit.promised <= CONVERGED),
    )


def _nominal(things: list[Any], component: Component) -> float:
    """At the first setting at which it is there."""
    having = (t for t in things if hasattr(t, component.field))
    values = [value_of(t, component) for t in having]
    return next(v for v in values if 0 < v < np.inf)


def _stacked(things: list[Any]) -> Any:
    return jax.tree.map(lambda *x: np.stack([np.asarray(y) for y in x]), *things)


def _settings(boards: Any, given: Any, name: str) -> tuple[list, list]:
    """One board and what was seen of it, or several, as lists."""
    if isinstance(boards, AbstractBoard):
        boards, given = [boards], [given]
    if not isinstance(boards, list | tuple):
        raise ValueError(f"boards = {boards!r:.60}: must be a board or a list of them.")
    check_alike(boards)
    if not isinstance(given, list | tuple) or len(given) != len(boards):
        n = len(given) if isinstance(given, list | tuple) else "no list"
        raise ValueError(f"{name}: {n} for {len(boards)} boards, one for each.")
    for board in boards:
        checks.positive("noise", board.noise)
        checks.stable("drift", board.linear().drift)
    return [*boards], [*given]


def _nodes(board: AbstractBoard, nodes: Any) -> tuple[int, ...]:
    if nodes is None:
        return tuple(range(board.n_cells))
    if not isinstance(nodes, list | tuple) or not nodes:
        raise ValueError(f"nodes = {nodes!r}: must be a list of whole numbers.")
    for node in nodes:
        check_count("nodes", node, 0)
        if node >= board.n_cells:
            raise ValueError(f"nodes = {nodes}: must be less than {board.n_cells}.")
    if len(set(nodes)) < len(nodes):
        raise ValueError(f"nodes = {nodes}: none may be there twice.")
    return tuple(int(node) for node in nodes)


def _record(v: Any, k: int) -> np.ndarray:
    checks.finite("traces", v)
    value = checks.values("traces", v)
    if value is None:
        raise ValueError("traces are traced: identify outside of jit and vmap.")
    value = value[None] if value.ndim == 2 else value
    if value.ndim != 3 or value.shape[2] != k or value.shape[1] < 2:
        raise ValueError(
            f"traces have shape {np.shape(v)}: they must be (samples, {k}) or "
            f"(records, samples, {k}), with 2 samples or more, for {k} nodes."
        )
    still = ~value.any((0, 1))
    if still.any():
        raise ValueError(f"traces[..., {still.argmax()}] = 0 throughout: no voltage.")
    return value


def _sought(boards: Any, known: Any, noise: Any) -> tuple[Component, ...]:
    """Components of the board, and the error of the instrument if it has one."""
    if noise is not None:
        checks.interval(READOUT, noise)
    elif isinstance(known, list | tuple) and READOUT in known:
        raise ValueError(f"{READOUT} = None: it is named as known, so give its value.")
    rest = (
        [x for x in known if x != READOUT] if isinstance(known, list | tuple) else known
    )
    sought = components(boards, rest)
    return (
        sought if noise is None or READOUT in known else (*sought, Component(READOUT))
    )


def _exactly(board, v, dt, nodes, readout_noise) -> Steps | Samples:
    """The shortest form that the exact likelihood takes."""
    form = board.linear()
    n = len(form.drift)
    whole = nodes == tuple(range(n)) and np.array_equal(form.readout, np.eye(n))
    if whole and not readout_noise:
        return steps(v, dt)
    return samples(board, v, dt, nodes, readout_noise)
