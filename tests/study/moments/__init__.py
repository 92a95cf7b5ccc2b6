"""For every point a history written by hand that passes it, and one that nearly does; a file a family."""
