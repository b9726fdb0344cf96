"""Everything that touches torch; runs in the trainer process.

A LoRA adapter is trained on the dequantized weights of the GGUF file that is chatted with, from
token ids the engine made of it. Only the child's entry point imports this room.
"""
