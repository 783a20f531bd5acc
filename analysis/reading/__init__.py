"""READING A STUDY: opened, counted, told in words; what the terminal, the page and other tools all show."""
