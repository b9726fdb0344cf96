"""Learning from the person: what is learned from, and what proves that it helped."""
