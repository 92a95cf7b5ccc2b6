"""Shows what a run was: a page that needs nothing but itself, an order's story in words. It measures nothing."""
