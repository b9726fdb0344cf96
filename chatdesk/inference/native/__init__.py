"""llama.cpp, and nothing else."""
