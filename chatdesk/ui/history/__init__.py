"""The sidebar and its list of conversations."""
