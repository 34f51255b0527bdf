"""Real pictures and clips, drawn when they are first asked for."""
