"""From conversations to training examples."""
