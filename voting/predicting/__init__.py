"""VOTING ON NEW IMAGES: images in, votes out, written and scored."""
