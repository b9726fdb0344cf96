"""Models on the Hugging Face hub, and the list of recommended ones."""
