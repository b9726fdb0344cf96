"""Chats in files of other programs: one module for each format."""
