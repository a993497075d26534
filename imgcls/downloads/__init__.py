"""Published files, downloaded by URL and SHA-256 into the user's cache."""
