"""WHETHER PROMISES HOLD: small studies of sample faces, judged on thousands of fresh persons."""
