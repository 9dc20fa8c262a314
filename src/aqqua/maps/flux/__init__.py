"""Carbon flux from size spectra: published relations, calibration against traps, budgets of the globe."""
