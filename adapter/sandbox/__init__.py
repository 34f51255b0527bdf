"""The embedded upstream: the Gemini and Flow HTTP APIs emulated at their own paths, as strict as the documents.

It stands on the other side of the wire: nothing here is shared with `adapter.providers`, so that a mistake in the
adapter's idea of the wire is met by a refusal, as it would be at Google's door.

The way of a request::

    app.py           create_sandbox(rules): the Litestar application
    server.py        running_sandbox(rules): the same, served on loopback from a thread
    gemini.py        generateContent, streamGenerateContent, models      gemini_wire, _models, _checks, _answer
    flow.py          uploadUserImage, batchGenerateImages, credits       flow_wire
    flow_videos.py   batchAsyncGenerateVideo*, batchCheckAsync*          flow_wire, _models, _answers
    storage.py       signed links to pictures and clips                  links
    control.py       /sandbox/ledger and /sandbox/faults                 faults, mishaps

and what stands behind it: `world` (all of it together), `ledger`, `records` and `journal` (what was carried out and
paid for), `gallery` (bytes, drawn once), `drawing`, `lettering` and `clip` (real PNG and H.264), `pictures` (what
comes in), `reading` and `google_errors` (strict JSON in, google.rpc out), `media_names` (Flow's ids).
"""
