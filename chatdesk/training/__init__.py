"""Everything that uses torch; runs in the trainer process.

A LoRA adapter is trained on the dequantized weights of the GGUF file used for chat, from token ids
that the engine made with it. Only the child's entry point imports this package.
"""
