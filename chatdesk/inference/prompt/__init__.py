"""From messages to text and tokens; without llama.cpp."""
