"""Media behind signed links that expire: in the place of storage.googleapis.com."""
