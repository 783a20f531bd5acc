"""IS A STUDY WHOLE? Every invariant between record, trial folders and manifests, and its repair."""
