"""Measurements: `python -m tests.bench`, or `make bench`. Nothing here is asserted but that every answer was complete.

    picture.py      the picture that everybody passes on, and the answer of Gemini that holds it
    wire.py         as much HTTP as the raw programs need
    upstream.py     a process: answers as Gemini does
    ideal.py        a process: the floor; no framework, no copy
    bare.py         a process: uvicorn and httpx, bytes in and bytes out
    naive.py        a process: litestar and httpx, dicts in and dicts out
    programs.py     starts these and the adapter, each on its core, and reads what they cost
    load.py         the clients
    patience.py     the limit of every wait
    added.py        pictures through each program: what is added to one small picture,
    throughput.py   as many as go through,
    sizes.py        of four sizes in turn,
    waiting.py      that the upstream takes a second for,
    idle.py         and what connections hold that had one
    tls.py          the same with an upstream behind TLS
    peers.py        nginx and LiteLLM, where they can be had
    bodies.py       hostile bodies, and `/health` beside them
    shares.py       one owner takes what it can get, and another one edits
    start.py        from `adapter serve` to the first answer
    store.py        the job store, in this process
    growth.py       its queries while it fills
    filled.py       requests for videos while it fills
    burst.py        chats that ask for a video at the same moment
    videos.py       whole lives of videos over HTTP
    jobs.py         running jobs and the readers of their progress
    flow.py         Flow's status call, from memory
    streams.py      the readers
    silent.py       readers of jobs that do not move
    held.py         a process: the floor of held streams
    table.py        numbers in columns
    check.py        compares the ratios of a run with recorded ones

How to read the rows is in `docs/measurements.md`.
"""
