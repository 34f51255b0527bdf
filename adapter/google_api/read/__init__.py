"""The Gemini API's requests into orders. Pure."""
