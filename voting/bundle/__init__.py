"""THE BUNDLE: what it says, how it is packed and checked, and the plugins that it needs."""
