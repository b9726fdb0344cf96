"""What an adapter must prove before it is used."""
