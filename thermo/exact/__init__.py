"""Closed forms of linear circuits dx = -F x dt + noise of covariance D dt."""

from thermo.exact.correlations import autocorrelation as autocorrelation
from thermo.exact.correlations import band_covariance as band_covariance
from thermo.exact.correlations import irreversibility as irreversibility
from thermo.exact.correlations import spectrum as spectrum
from thermo.exact.correlations import thermal_spectrum as thermal_spectrum
from thermo.exact.estimators import covariance_error as covariance_error
from thermo.exact.estimators import effective_samples as effective_samples
from thermo.exact.estimators import recorded_variance as recorded_variance
from thermo.exact.estimators import sampled_variance as sampled_variance
from thermo.exact.laws import Gaussian as Gaussian
from thermo.exact.laws import root as root
from thermo.exact.laws import sample_gaussian as sample_gaussian
from thermo.exact.laws import sample_second_moment as sample_second_moment
from thermo.exact.laws import time_average_law as time_average_law
from thermo.exact.lyapunov import lyapunov as lyapunov
from thermo.exact.lyapunov import stationary_covariance as stationary_covariance
from thermo.exact.relaxation import burn_in_time as burn_in_time
from thermo.exact.relaxation import mixing_time as mixing_time
from thermo.exact.response import driven_mean as driven_mean
from thermo.exact.transition import Transition as Transition
from thermo.exact.transition import propagator as propagator
from thermo.exact.transition import transition as transition
