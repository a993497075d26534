"""Downloads published files and checks their SHA-256; also locates the user's cache folder."""
