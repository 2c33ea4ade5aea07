"""The figure of `board_twin`: errors before and after, and what was found."""

import numpy as np
import xarray as xr

from experiments.figures import style
from experiments.thermodynamic import machine
from experiments.thermodynamic.spu_inductor_free_figure import ERROR_PUBLISHED

_LABELS = dict(zip(machine.KINDS, ("C", "R", "L", "noise"), strict=True))


def _shown(dataset: xr.Dataset) -> np.ndarray:
    """The boards that stand for the published ones."""
    return dataset.board.to_numpy()[: machine.N_PUBLISHED_BOARDS]


def _draw_errors(ax, dataset: xr.Dataset) -> None:
    one = dataset.sel(n_record=dataset.shown)
    n = one.n_samples
    for i, board in enumerate(_shown(one)):
        at = one.sel(board=board)
        drawn = style.look(i, linewidth=1, markevery=2)
        before = {**drawn, "linestyle": "--", "markerfacecolor": "none"}
        ax.plot(n, 100 * at.error_before, **before)
        ax.plot(
            n, 100 * at.error, **{**drawn, "linestyle": "-"}, label=f"board {board}"
        )
        ax.axhline(100 * at.floor, color=drawn["color"], linestyle=":", linewidth=1)
    ax.plot([], [], "o--", color="0.5", mfc="none", label="as programmed")
    ax.plot([], [], "-", color="0.3", label="lines: set anew")
    ax.plot([], [], ":", color="0.3", label="its floor, theory")
    low, high = (100 * e for e in machine.ERROR_PUBLISHED)
    style.published(
        ax,
        [int(one.n_published)],
        [(low + high) / 2],
        label=f"{low:.0f}-{high:.0f} % (press)",
        zorder=5,
        markersize=6,
    )
    ax.vlines(int(one.n_published), low, high, color="black")
    style.published_line(ax, 100 * ERROR_PUBLISHED, "2 %, no coils (press)")
    style.decades(ax)
    ax.set(xscale="log", xlabel="samples N")
    ax.set_ylabel("relative Frobenius error, rms (%)")
    ax.set_title(f"inverse, before and after\na record of {dataset.shown:,} samples")
    style.key(ax)


def _draw_records(ax, dataset: xr.Dataset) -> None:
    x = dataset.n_record
    for i, board in enumerate(_shown(dataset)):
        one, drawn = dataset.sel(board=board), style.look(i)
        solid = {**drawn, "linestyle": "-", "label": f"board {board}"}
        ax.plot(x, 100 * one.floor, **solid)
        colour = drawn["color"]
        ax.plot(x, 100 * one.predicted, "x:", color=colour)
        ax.plot(x, 100 * one.floor_before, "--", color=colour, linewidth=1)
    ax.plot([], [], "x:", color="0.3", label="predicted")
    ax.plot([], [], "--", color="0.3", label="as programmed")
    style.published_line(ax, 100 * ERROR_PUBLISHED, "2 %, no coils (press)")
    style.decades(ax, "xy")
    ax.set_xlabel("samples of the record that identifies")
    ax.set_ylabel("error floor: infinitely many samples (%)")
    ax.set_title("floor, by the length\nof the record")
    style.key(ax)


def _draw_components(ax, dataset: xr.Dataset) -> None:
    one = dataset.sel(n_record=dataset.longest)
    for i, board in enumerate(_shown(one)):
        at = one.sel(board=board)
        clear = at.identified.to_numpy()
        x, y, e = (
            100 * at[name].to_numpy()[clear]
            for name in ("true_factor", "found_factor", "standard_error")
        )
        look = style.look(i, linestyle="none", elinewidth=0.6, ms=3, alpha=0.8)
        label = f"board {board}: {float(at.held):.0%} of {clear.sum()} hold"
        ax.errorbar(x, y, 1.96 * e, **look, label=label)
    ends = 100 * np.array([one.true_factor.min(), one.true_factor.max()])
    ax.plot(ends, ends, color="0.3", linewidth=0.8)
    ax.set_xlabel("true deviation of a component (log, %)")
    ax.set_ylabel("found, with its 95 % interval (log, %)")
    ax.set_ylim(*(1.5 * ends))
    ax.set_title(f"components, by a record\nof {dataset.longest:,} samples")
    style.key(ax)


def _draw_tolerances(ax, dataset: xr.Dataset) -> None:
    whole = 100 * dataset.sel(n_record=dataset.longest)
    one = whole.tolerance_found
    x = np.arange(one.sizes["kind"])
    for i, board in enumerate(_shown(one)):
        at = one.sel(board=board)
        middle, low, high = (at.sel(end=e) for e in ("estimate", "low", "high"))
        ax.errorbar(
            x + 0.15 * (i - 1),
            middle,
            [middle - low, high - middle],
            **style.look(i, linestyle="none"),
            capsize=3,
            label=f"board {board}, 95 %",
        )
        true = whole.tolerance_true.sel(board=board)
        ax.plot(x + 0.15 * (i - 1) + 0.05, true, "_", color="black", markersize=8)
    ax.plot([], [], "_", color="black", label="rms of the board's own draws")
    true = 100 * dataset.assumed_tolerance
    ax.axhline(true, color="0.3", linewidth=0.8, label="drawn with")
    ax.set_xticks(x, [_LABELS[str(k)] for k in one.kind.to_numpy()])
    ax.set_ylim(bottom=0)
    ax.set_xlabel("kind of component")
    ax.set_ylabel("tolerance found, rms (%)")
    ax.set_title("tolerance of each kind,\nby the same record")
    style.key(ax)


def note(dataset: xr.Dataset) -> str:
    """What setting the capacitors anew takes back, and whether the twin foresaw it."""
    one = dataset.sel(n_record=dataset.shown)
    before, after = (
        100 * float(one[name].median("board")) for name in ("floor_before", "floor")
    )
    longest = dataset.sel(n_record=dataset.longest)
    least = 100 * float(longest.floor.median("board"))
    foreseen = float((longest.predicted / longest.floor).median("board"))
    held = 100 * float(longest.held.mean())
    last = one.isel(n_samples=-1)
    found, old = (
        100 * float(last[name].median("board")) for name in ("error", "error_before")
    )
    return (
        f"a record of {dataset.shown:,} samples takes the floor of the median board "
        f"from {before:.1f} to {after:.1f} %, one of {dataset.longest:,} to "
        f"{least:.2g} %; the twin foretells {foreseen:.2f} times what is found, and "
        f"{held:.0f} % of its intervals (95 %) hold the truth. After "
        f"{int(last.n_samples):,} samples the inverse errs by {found:.1f} % instead of "
        f"{old:.1f} %: what tolerances cost is taken back, what is left is statistics. "
        "If tolerances are the cause of the published error, calibration is its cure. "
        "The published 2 % are of a simulated board without coils"
    )


plot = style.panels(
    (7.0, 10.8),
    [[_draw_errors, _draw_records], [_draw_components, _draw_tolerances]],
    note,
)
