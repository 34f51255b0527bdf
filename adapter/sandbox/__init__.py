"""The embedded upstream: the Gemini and Flow HTTP APIs emulated at their own paths, as strict as the documents.

It stands on the other side of the wire: nothing here is shared with `adapter.providers`, so that a mistake in the
adapter's idea of the wire is met by a refusal, as it would be at Google's door.

::

    app         create_sandbox(rules): the Litestar application
    server      running_sandbox(rules): the same, served on loopback from a thread
    world       all of it together, and the first questions to every request
    reading     strict proto3 JSON in;  google_errors  google.rpc.Status out
    control     /sandbox/ledger and /sandbox/faults;  faults, mishaps  what is scripted, and how it is carried out

    gemini/     generateContent, streamGenerateContent, models
    flow/       uploadUserImage, batchGenerateImages, credits; the videos and their status
    storage/    signed links to pictures and clips
    memory/     what was carried out and paid for, in a journal that survives kill -9
    studio/     real PNG and H.264
"""
