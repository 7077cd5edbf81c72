"""Machines elsewhere that run an experiment or a runner; each engine behind one door."""
