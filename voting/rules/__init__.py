"""HOW MEMBERS VOTE: rules by name, and the joint classes of several tasks."""
