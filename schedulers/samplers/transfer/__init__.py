"""A GAUSSIAN PROCESS THAT STARTS FROM OTHER DATA: its mean is what a portfolio's configurations were worth there."""
