"""Everything that touches llama.cpp; runs in the engine process."""
