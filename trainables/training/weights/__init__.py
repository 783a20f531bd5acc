"""WHERE WEIGHTS COME FROM: ImageNet by package or hub, or a file of the user's."""
