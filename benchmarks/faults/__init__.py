"""REAL FAULTS: a real search whose storage, processes, servers and limits fail at random moments; what is lost by it."""
