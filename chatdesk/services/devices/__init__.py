"""Devices of other computers, and the server that lends this computer's."""
