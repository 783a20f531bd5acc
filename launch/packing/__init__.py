"""HOW MANY TRIALS SHARE A DEVICE where an option says `auto`: measured at launch, and picked from the rows."""
