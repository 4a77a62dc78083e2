"""Drift: what is not as agreed on which host, since when, by whom, and whose it is. Pure; no input or output."""

from bedplate.drift.observation import CheckOutcome, HostCheck, Observation, RoleCoverage, Severity

__all__ = ["CheckOutcome", "HostCheck", "Observation", "RoleCoverage", "Severity"]
