"""Media behind signed links that expire: the stand-in for storage.googleapis.com."""
