"""BESIDE A SEARCH: processes of their own that show it, or send it to other tools.

Each reads the study alone, so none of them can hold the search up or bring it down. They end with the launch, however it
ends: their standard input is a pipe of the launch's. They are nice to the driver; a trial's process is nicer still.
"""
