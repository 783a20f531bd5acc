"""TRACKING: a study in TensorBoard, MLflow or W&B, one run a trial, while it searches or afterwards; each optional to install."""
