"""Gemini Omni: videos as jobs, by Google's Interactions API (reference: `omni.md`)."""
