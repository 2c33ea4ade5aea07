"""The figure of `board_twin`: errors before and after, and what was found."""

import numpy as np
import xarray as xr

from experiments.figures import style
from experiments.thermodynamic import machine
from experiments.thermodynamic.boards_figure import PUBLISHED_BOARDS
from experiments.thermodynamic.spu_inductor_free_figure import ERROR_PUBLISHED

_LABELS = dict(zip(machine.KINDS, ("C", "R", "L", "noise"), strict=True))


def _draw_errors(ax, dataset: xr.Dataset) -> None:
    one = dataset.sel(n_record=dataset.shown)
    n = one.n_samples
    for board, colour in zip(one.board.to_numpy(), PUBLISHED_BOARDS, strict=False):
        at = one.sel(board=board)
        ax.plot(n, 100 * at.error_before, "o--", color=colour, alpha=0.5)
        ax.plot(n, 100 * at.error, "o-", color=colour, label=f"board {board}")
        ax.axhline(100 * at.floor, color=colour, linestyle=":", linewidth=1)
    ax.plot([], [], "o--", color="0.5", label="as programmed")
    ax.plot([], [], "o-", color="0.3", label="set anew")
    ax.plot([], [], ":", color="0.3", label="its floor, theory")
    low, high = (100 * e for e in machine.ERROR_PUBLISHED)
    style.published(
        ax,
        [int(one.n_published)],
        [(low + high) / 2],
        label="25-30 % (press)",
        zorder=5,
        markersize=6,
    )
    ax.vlines(int(one.n_published), low, high, color="black")
    style.published_line(ax, 100 * ERROR_PUBLISHED, "2 %, no coils (press)")
    style.decades(ax)
    ax.set(xscale="log", xlabel="samples N", ylim=(0.15, None))
    ax.set_ylabel("relative Frobenius error, rms (%)")
    ax.set_title(f"Inverse, before and after a record of {dataset.shown:,} samples")
    ax.legend(ncols=2, loc="lower left")


def _draw_records(ax, dataset: xr.Dataset) -> None:
    x = dataset.n_record
    boards = dataset.board.to_numpy()
    for board, colour in zip(boards, PUBLISHED_BOARDS, strict=False):
        one = dataset.sel(board=board)
        ax.plot(x, 100 * one.floor, "o-", color=colour, label=f"board {board}")
        ax.plot(x, 100 * one.predicted, "x:", color=colour)
        ax.plot(x, 100 * one.floor_before, "--", color=colour, linewidth=1)
    ax.plot([], [], "x:", color="0.3", label="predicted")
    ax.plot([], [], "--", color="0.3", label="as programmed")
    style.published_line(ax, 100 * ERROR_PUBLISHED, "2 %, no coils (press)")
    style.decades(ax, "xy")
    ax.set_ylim(bottom=0.1)
    ax.set_xlabel("samples of the record that identifies")
    ax.set_ylabel("error floor: infinitely many samples (%)")
    ax.set_title("The floor falls as the root of the record")
    ax.legend(ncols=2, loc="lower left")


def _draw_components(ax, dataset: xr.Dataset) -> None:
    one = dataset.sel(n_record=dataset.longest)
    boards = one.board.to_numpy()
    for board, colour in zip(boards, PUBLISHED_BOARDS, strict=False):
        at = one.sel(board=board)
        clear = at.identified.to_numpy()
        x, y, e = (
            100 * at[name].to_numpy()[clear]
            for name in ("true_factor", "found_factor", "standard_error")
        )
        look = {"fmt": ".", "color": colour, "elinewidth": 0.6, "alpha": 0.7}
        label = f"board {board}: {float(at.held):.0%} of {clear.sum()} hold the truth"
        ax.errorbar(x, y, 1.96 * e, **look, label=label)
    ends = 100 * np.array([one.true_factor.min(), one.true_factor.max()])
    ax.plot(ends, ends, color="0.3", linewidth=0.8)
    ax.set_xlabel("true deviation of a component (log, %)")
    ax.set_ylabel("found, with its 95 % interval (log, %)")
    ax.set_ylim(*(1.5 * ends))
    ax.set_title(f"Components, by a record of {dataset.longest:,} samples")
    ax.legend()


def _draw_tolerances(ax, dataset: xr.Dataset) -> None:
    whole = 100 * dataset.sel(n_record=dataset.longest)
    one = whole.tolerance_found
    boards = one.board.to_numpy()
    x = np.arange(one.sizes["kind"])
    for i, (board, colour) in enumerate(zip(boards, PUBLISHED_BOARDS, strict=False)):
        at = one.sel(board=board)
        middle, low, high = (at.sel(end=e) for e in ("estimate", "low", "high"))
        ax.errorbar(
            x + 0.15 * (i - 1),
            middle,
            [middle - low, high - middle],
            fmt="o",
            color=colour,
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
    ax.set_title("Tolerance of each kind, by the same record")
    ax.legend()


plot = style.panels(
    (9.5, 7.8),
    [[_draw_errors, _draw_records], [_draw_components, _draw_tolerances]],
    note=(
        "the 2 % are of a simulated board without coils. Seen: what tolerances cost is "
        "taken back by setting the capacitors as the twin says; what is left at N "
        "samples is statistics. If tolerances are the cause of the published error, "
        "calibration is its cure"
    ),
)
