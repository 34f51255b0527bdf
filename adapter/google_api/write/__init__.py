"""Results into the Gemini API's answers. Pure."""
