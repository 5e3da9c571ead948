"""The commands themselves, one in each file, where Django looks for them."""
