"""ONE MODEL ON ONE FOLD: data, batches, model, loss, optimizer, device, classifier."""
