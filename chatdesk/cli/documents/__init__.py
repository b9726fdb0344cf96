"""The documents that the command line prints, as text and JSON."""
