"""Choices, controllers and exhaustive search over the same flows; nothing here may read a clock or import SimPy."""
