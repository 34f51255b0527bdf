"""Gemini on Google Cloud: the same APIs at another address, with another credential (reference: `google-cloud.md`)."""
