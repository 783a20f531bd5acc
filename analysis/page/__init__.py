"""THE PAGE: a study while it searches and afterwards, in a browser; it reads the study alone and changes nothing."""
