"""GGUF, the format of llama.cpp's models and adapters."""
