"""The import of chats from other apps."""
