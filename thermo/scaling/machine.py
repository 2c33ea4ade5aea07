"""A digital machine that samples and inverts: what its tasks take."""

from dataclasses import dataclass

import jax

from thermo.scaling.ready import Price, Scalar, check_constants


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Machine:
    r"""A digital machine by its effective speeds; the default stands for an RTX A6000.

    $$ t_\mathrm{sampling} = \frac{d^3}{3F_f} + \frac{2d^2N}{F_p} + \frac{dN}{F_n}
       + t_0, \qquad
       t_\mathrm{inversion} = \frac{d^3}{F_f} + t_0, \qquad E = P\,t $$

    A Cholesky factor, N normal vectors, one product of the two; an inverse takes the
    factor and twice as much again. Speeds are effective ones
    and do not depend on d, which flatters the machine where d is small.

    Attributes:
        factor_rate: F_f of factorisations, flop/s (INFERRED).
        product_rate: F_p of products of matrices, flop/s (INFERRED).
        normal_rate: F_n of normal numbers, 1/s; infinite here, which leaves them out
            (INFERRED, as the others: the anchors are met without).
        overhead: t_0 of a task, s (INFERRED).
        power: P while it works, W (GENERAL KNOWLEDGE: data sheet).
        idle: between two tasks, W (GENERAL KNOWLEDGE); 0 if others use it meanwhile.

    Example:
        >>> card = Machine()
        >>> f"{1e3 * float(card.sampling(1e4, 1e4).seconds):.1f} ms"
        '133.5 ms'
    """

    factor_rate: Scalar = 1e13
    product_rate: Scalar = 2e13
    normal_rate: Scalar = float("inf")
    overhead: Scalar = 2e-4
    power: Scalar = 300.0
    idle: Scalar = 22.0

    def sampling(self, d: Scalar, n_samples: Scalar) -> Price:
        """What samples of a Gaussian in d dimensions take."""
        factor = d * d * d / (3 * self.factor_rate)
        product = 2 * d * d * n_samples / self.product_rate
        normals = d * n_samples / self.normal_rate
        return self._priced(factor + product + normals)

    def inversion(self, d: Scalar) -> Price:
        """What the inverse of a symmetric d x d matrix takes."""
        return self._priced(d * d * d / self.factor_rate)

    def _priced(self, computing: Scalar) -> Price:
        seconds = computing + self.overhead
        return Price(seconds, self.power * seconds)

    def check(self) -> None:
        """Refuse a machine that is none.

        Raises:
            ValueError: naming the field, its value and its bound.
        """
        check_constants(self, "normal_rate", "overhead", "idle")
