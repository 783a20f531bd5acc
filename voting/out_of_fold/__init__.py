"""WHAT CANDIDATES SAID about persons that they had not seen: votes of it, scored, and cross-fitted."""
