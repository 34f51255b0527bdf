"""The Interactions and Files APIs of Gemini, for videos of Gemini Omni."""
