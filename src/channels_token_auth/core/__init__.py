"""The rules, without I/O, clock, randomness or logging: values in, values out."""
