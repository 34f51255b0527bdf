"""The Gemini API: pictures by `generateContent` (seed 003; reference: `gemini.md`)."""
