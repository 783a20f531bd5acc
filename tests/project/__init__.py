"""Rules for all files, the pages of the docs, plugins, and the benchmarks that judge a search."""
