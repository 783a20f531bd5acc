"""WHAT IS TRIED NEXT: Optuna's samplers, asked on a projection of the record."""
