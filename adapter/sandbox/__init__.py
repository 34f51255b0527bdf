"""The embedded upstream: the Gemini and Flow HTTP APIs emulated at their own paths, as strict as the documents.

It shares no code with `adapter.providers`. So it refuses a request that the adapter builds wrongly, as Google would.

::

    app         create_sandbox(rules): the Litestar application
    server      running_sandbox(rules): the same, served on loopback from a thread
    state       what the routes work with, and the checks of every request
    reading     strict proto3 JSON in;  google_errors  google.rpc.Status out
    control     /sandbox/ledger and /sandbox/faults;  faults, fault_injection  the scripts, and their execution

    gemini/     generateContent, streamGenerateContent, models
    flow/       uploadUserImage, batchGenerateImages, credits; the videos and their status
    storage/    signed links to pictures and clips
    memory/     the ledger of executions and credits, in a journal that survives kill -9
    renderer/   real PNG and H.264
"""
