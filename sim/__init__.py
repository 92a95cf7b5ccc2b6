"""Everything that performs, shakes, judges, measures and tells; no order protocol may be written here."""
