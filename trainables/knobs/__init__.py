"""WHAT CAN BE SET: every knob of a trial, by what it is about; `trainables.config` puts them together."""
