"""Personalization: training on the user's conversations, and the proof that it helped."""
