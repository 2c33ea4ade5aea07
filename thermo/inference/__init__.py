r"""Bayesian inference by waiting: posteriors that a noisy board holds, and reads.

A Gaussian posterior is a precision and a vector (`Information`); a passive board holds
the precision, directly or on twice the cells (`hold`, `hold_doubled`), and its voltages
are samples (`posterior`); a driven board gives the mean, too (`relaxed`). Logistic
regression is a drift that is not linear (`logistic_board`), for diffrax. All of it is
a simulation: there to see what such a machine would be worth.
"""

from thermo.inference.information import Information as Information
from thermo.inference.information import condition as condition
from thermo.inference.information import law as law
from thermo.inference.information import linear_regression as linear_regression
from thermo.inference.kernels import exponential as exponential
from thermo.inference.kernels import exponential_precision as exponential_precision
from thermo.inference.kernels import squared_exponential as squared_exponential
from thermo.inference.last_layer import Features as Features
from thermo.inference.last_layer import decorrelated as decorrelated
from thermo.inference.last_layer import last_layer_precision as last_layer_precision
from thermo.inference.last_layer import mean_field as mean_field
from thermo.inference.last_layer import predictive_variance as predictive_variance
from thermo.inference.last_layer import random_features as random_features
from thermo.inference.logistic import LogisticBoard as LogisticBoard
from thermo.inference.logistic import laplace as laplace
from thermo.inference.logistic import logistic_board as logistic_board
from thermo.inference.passive import Held as Held
from thermo.inference.passive import hold as hold
from thermo.inference.passive import hold_doubled as hold_doubled
from thermo.inference.passive import least_growth as least_growth
from thermo.inference.reading import Reading as Reading
from thermo.inference.reading import posterior as posterior
from thermo.inference.reading import relaxed as relaxed

__all__ = [
    "Features",
    "Held",
    "Information",
    "LogisticBoard",
    "Reading",
    "condition",
    "decorrelated",
    "exponential",
    "exponential_precision",
    "hold",
    "hold_doubled",
    "laplace",
    "last_layer_precision",
    "law",
    "least_growth",
    "linear_regression",
    "logistic_board",
    "mean_field",
    "posterior",
    "predictive_variance",
    "random_features",
    "relaxed",
    "squared_exponential",
]
