"""Who catches which planted bug, by how many ways, and how fast: the kill table.

A kill is a verdict. A mutant that only makes an assertion fail has crashed, which is told apart and counts for nothing.
No protocol and no promise is told here.
"""
