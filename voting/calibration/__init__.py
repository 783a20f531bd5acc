"""FROM A VOTE TO A DECISION: temperature, class weights, and how far probabilities are off."""
