"""An OpenAI-compatible API in front of Google's media generators.

Two shores and a memory between them::

    openai_api/   what clients see: wire (OpenAI's JSON), read (wire to order), write (ours to wire), routes
    domain/       our own words: orders, the catalogue, jobs and their states, media, and the ports
    providers/    what Google sees: flow, gemini; each wire, translate, provider; http is the one way out, over pool
    generation    the use cases that join them
    database/     one database: tables, migrations, what other processes changed
    jobs/         the memory of work: store, requests, poller, feed and its follower
    records/      the memory of what clients can look up again: files and responses
    access/       who may ask
    media/        the memory of bytes, and their formats
    sandbox/      Google's side, emulated: for building and testing without an account
    app, serving  the application is put together, and served by a process; cli has the commands
    wiring        builds stores, providers and options from the settings
    connections   one client's connection: HTTP/1.1 and 1.0, and offers of other protocols

tasks owns every task that is started. settings, credentials, clock, budget, drain, logs, redaction, errors, version and
welcome are what their names say;
config_option is the command line's, and shipped knows the files of config/, which a wheel carries as adapter/config/.

The import law (left may import right, nothing else; `tests/test_architecture.py` holds it)::

    app, wiring         everything
    serving, cli        everything
    settings            domain, errors, sandbox.rules, shipped
    config_option       errors, shipped
    openai_api          generation, domain, errors, tasks; of it read and write only domain, errors and wire,
                        and wire nothing
    generation          domain, errors, tasks
    jobs                domain, errors, database, tasks
    records, access     domain, errors, database
    media               domain, errors, version, tasks
    database            domain, errors
    budget, credentials domain, errors
    connections         errors, openai_api.write
    providers.*         domain, errors, redaction, providers.http, .reply, .json_splice, .rpc_status, tasks
    sandbox             nothing of ours
    domain              errors
    logs                redaction
    welcome             settings

The rest imports nothing of ours.
"""
