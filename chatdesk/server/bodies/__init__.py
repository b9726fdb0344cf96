"""Request bodies: checked, then turned into requests to the engine.

The fields are OpenAI's, and llama-server's where OpenAI has none. Unknown fields are ignored,
because clients send many; known fields that cannot be served are refused.
"""
