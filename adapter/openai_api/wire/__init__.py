"""OpenAI's JSON, field for field, a file per endpoint (reference: `openai.md`).

Requests name the fields that we read; unknown ones are ignored, because every SDK and gateway adds its own. Answers
leave absent keys out instead of sending null where the specification does not allow it.
"""
