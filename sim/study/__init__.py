"""Counts and compares: measures, intervals, and later sweeps. No study knows the simulation engine."""
