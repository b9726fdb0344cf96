"""Downloads that resume, whole or not there."""
