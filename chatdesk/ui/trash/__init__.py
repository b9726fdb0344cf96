"""Recently deleted chats."""
