"""WHETHER A SPACE FITS: its data, its epochs, the number of pictures, and the ends of its ranges."""
