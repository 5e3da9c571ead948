"""Measure the library, and compare it with others: `python3 dev.py bench`."""
