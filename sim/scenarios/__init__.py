"""Scenarios and the data they replay, shipped with the package; no code may live here."""
