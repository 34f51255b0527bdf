"""The use cases: pictures, videos, responses and files. Stores and providers arrive as ports."""
