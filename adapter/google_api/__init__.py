"""Google's side as clients know it: the Gemini API's own routes for pictures."""
