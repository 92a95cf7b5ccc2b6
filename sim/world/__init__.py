"""The timed world over SimPy, the only room that may import it; nothing here may judge or measure."""
