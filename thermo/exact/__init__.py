"""Closed forms of linear circuits dx = -F x dt + noise of covariance D dt."""

from thermo.exact.lyapunov import lyapunov as lyapunov
from thermo.exact.lyapunov import stationary_covariance as stationary_covariance
from thermo.exact.transition import Transition as Transition
from thermo.exact.transition import transition as transition
