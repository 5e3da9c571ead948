"""Fuzzers of what parses input that anybody may send: `python -m fuzz`, from the root.

Each target is a module with `SEEDS`, the inputs to start from, and `check(data)`, which raises
where a promise does not hold for an input.
"""
