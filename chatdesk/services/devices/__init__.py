"""Devices of other computers, and lending this one's."""
