"""WHO GOES ON: the record, the fold ladder, the sampler, budgets."""
