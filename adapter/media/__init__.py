"""Files of pictures and videos: the media store, conversions, safe downloads, and the deletion of old files."""
