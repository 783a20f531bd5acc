"""A FUZZER: files that nobody has thought of, for every reader of what others may have written."""
