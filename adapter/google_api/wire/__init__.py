"""The Gemini API's JSON (reference: `gemini-native-routes.md`)."""
