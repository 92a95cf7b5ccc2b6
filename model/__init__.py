"""Protocols and the stores they ask; no clock, no dice, no SimPy, nothing but the standard library."""
