"""Google Cloud's side: a token service, and Gemini by the addresses of a project."""
