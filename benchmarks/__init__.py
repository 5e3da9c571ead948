"""Everything that measures, by one command: `python3 dev.py bench`."""
