"""The runs that make up the gate: which there are, how they run, and what they report."""
