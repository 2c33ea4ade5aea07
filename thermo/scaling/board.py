"""A board of noisy cells that samples: what its tasks take."""

from dataclasses import dataclass

import jax

from thermo.scaling.ready import Price, Scalar, check_constants


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Board:
    r"""A stochastic processing unit with converters, by its constants.

    $$ t = \frac{b\,d(d+1)/2}{W} + t_\mathrm{eq} + N\tau + \frac{b\,dN}{W}, \qquad
       E = (P + p\,d)\,t + e\,\bigl(d(d+1)/2 + dN\bigr) $$

    The matrix is sent to it, it settles, and N samples of d voltages are taken and
    sent back: quadratic in d, but for the N samples that it must wait for. `SOURCES`
    says where each constant is from; what none of them covers, such as the host that
    asks, is not in it. Timing model INFERRED; the published one could not be read.

    Attributes:
        bits: b of a number that is sent (STATED: TNGD, App. C).
        channel_rate: W to and from the board, bit/s (RECALLED: TLA; a sister machine
            has 50e9, STATED: TNGD, App. C).
        settling: t_eq once the matrix is set, s (INFERRED).
        interval: tau between two samples, s (INFERRED: one RC, STATED as 1 µs).
        power: P while it works, but for cells and converters, W (ASSUMED: no figure is
            published).
        cell_power: p of a cell, W (DERIVED: 0.1 V, ASSUMED, on 1 kΩ, STATED).
        conversion_energy: e of a number to or from the board, J (ASSUMED: 16 bits at a
            figure of merit of 180 dB).
        accumulation_rate: of adding up products of samples for a covariance, flop/s
            (ASSUMED); infinite if the board itself does it.
        accumulation_energy: of each such operation, J (ASSUMED).

    Example:
        >>> board = Board()
        >>> f"{1e3 * float(board.sampling(1e4, 1e4).seconds):.2f} ms"
        '11.93 ms'
    """

    bits: Scalar = 16.0
    channel_rate: Scalar = 1.25e12
    settling: Scalar = 1e-5
    interval: Scalar = 1e-6
    power: Scalar = 10.0
    cell_power: Scalar = 1e-5
    conversion_energy: Scalar = 3e-9
    accumulation_rate: Scalar = 2e13
    accumulation_energy: Scalar = 1.5e-11

    def sampling(self, d: Scalar, n_samples: Scalar) -> Price:
        """What samples of a Gaussian in d dimensions take."""
        sent = d * (d + 1) / 2 + d * n_samples
        moving = self.bits * sent / self.channel_rate
        seconds = moving + self.settling + n_samples * self.interval
        power = self.power + self.cell_power * d
        return Price(seconds, power * seconds + self.conversion_energy * sent)

    def accumulation(self, d: Scalar, n_samples: Scalar) -> Price:
        """What adding up the symmetric products of all samples takes."""
        flops = n_samples * d * (d + 1)
        return Price(flops / self.accumulation_rate, flops * self.accumulation_energy)

    def check(self) -> None:
        """Refuse a board that is none.

        Raises:
            ValueError: naming the field, its value and its bound.
        """
        check_constants(
            self,
            "settling",
            "cell_power",
            "conversion_energy",
            "accumulation_rate",
            "accumulation_energy",
        )
