"""The Gemini API: routes, wire structs, what is refused, what is answered."""
