"""The preview of the training examples."""
