"""THE SEARCH UNDER RAY TUNE: the cluster, one Tune trial a climb, actors that are kept."""
