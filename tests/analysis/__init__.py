"""What is shown of a study, and where else it is sent."""
