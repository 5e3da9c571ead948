"""Decide: pure rules that map values to values, without I/O, clock, randomness or logging."""
