"""Quantization: a smaller model from an installed one."""
