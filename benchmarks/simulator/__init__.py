"""A SEARCH WITHOUT TRAINING, WITH FAULTS: decisions, budget and record of real studies on a simulated machine, by seed."""
