"""WAS IT LUCK? The winner and the recipe trained again with other seeds and splits."""
