"""The studio: a page at `/studio` that makes pictures and videos in a browser, and the page at `/`.

`files/` has what a browser loads, as it is written: HTML, CSS and ES modules, without a build step. The page speaks to
the API as any other client does, with a key that the person gives. It holds no secret.
"""
