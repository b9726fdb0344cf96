"""One conversation's messages as widgets."""
