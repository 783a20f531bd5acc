"""WHERE IMAGES COME FROM: the mask competition, a CSV, class folders, drawn sample faces."""
