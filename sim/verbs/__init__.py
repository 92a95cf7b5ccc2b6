"""The verbs of the command line, a file each or a family: what may be asked, and who is asked for it."""
