"""The commands, one in each file. Django requires this package and these names."""
