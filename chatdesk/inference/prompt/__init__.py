"""From messages to text and tokens; no llama.cpp."""
