"""An OpenAI-compatible API in front of Google's media generators.

::

    openai_api/   OpenAI's side: wire (JSON), read (JSON to orders), write (results to JSON), routes, and openapi (the
                  description of the routes)
    google_api/   the Gemini API's own routes for pictures: wire, read, write and routes as beside it
    domain/       our own words: orders, the catalogue, jobs and their states, media, and the ports
    providers/    Google's side: a provider is a folder, and registry lists them; http is the client
    generation    the use cases
    tracing/      traces by OpenTelemetry: a span for each request, and the tracer
    metrics/      what Prometheus reads: series, facts, measured providers, and the page
    database/     one database: tables, migrations, notifications between processes
    jobs/         the engine of jobs: store, requests, pollers, steps, feed
    records/      what clients can look up again: files and responses; and what was made and spent
    access/       keys
    media/        files, their formats, and downloads from addresses that clients give
    network/      addresses from outside: the strict parser, which are public, and their look-up
    sandbox/      Google's side, emulated: for building and testing without an account
    client/       the commands that ask a running adapter: image and video
    commands/     the commands that work on a configuration: a module for each, and what only commands use
    studio/       the pages at / and /studio, for a person's browser
    entry         the command `adapter`: a table of all commands. A command is loaded when it runs
    app, serving  the application is put together, and served by a process
    allocator     the C library's allocator, and where it has the memory of pictures
    wiring        builds stores, providers and options from the settings; settings_database opens the database
    connections   one client's connection: HTTP/1.1 and 1.0, offers of other protocols, limits of size
    exchange      one request of a connection, and how its answer is written
    connection_table  all connections: what each one waits for, and until when
    hang_up       how an application hears that its client has hung up
    toml_file, mistakes  the operator's file with its lines, and what is wrong in it
    reloading     takes a changed configuration over while the server runs; reload_plan says what that means,
                  reload_signal asks for it, control is the socket of `adapter reload`
    live_providers  the providers of now, and those whose jobs are not finished
    key_models    models that keys may use and that there are not
    risks         what is risky about the settings on this machine; machine reads the facts
    accounts      the operator's accounts and keys, as the command line shows and switches them
    retirements   which configured models Google switches off soon
    google_credentials  access tokens of Google Cloud, by Google's own library
    secret_program      runs the program of a `cmd:` reference
    tasks         starts every task, and knows its owner

settings, credentials, clock, budget, drain, logs, redaction, errors, terminal, version and welcome are what their names
say. fair_semaphore admits work in turn with that of other owners. shipped knows the files of config/, which a wheel
carries as adapter/config/.

The import law (left may import right, nothing else; `tests/test_architecture.py` holds it)::

    app, wiring         everything
    serving, commands   everything
    settings            domain, errors, sandbox.rules, shipped, providers.registry, .description, .proxy, mistakes,
                        toml_file
    mistakes            toml_file, which imports errors
    settings_database   credentials, database, settings
    accounts            settings, records, database, domain, errors
    client              terminal, version
    entry               client, commands, errors, logs, version
    studio              errors
    openai_api          generation, domain, errors, fair_semaphore, hang_up, tasks; of it read and write only domain,
                        errors and wire, openapi those with read and version, and wire nothing
    google_api          generation, domain, errors, the modules of openai_api.routes that both need; of it read only
                        domain, errors, wire, openai_api.read and .wire.media, write domain, errors and wire
    metrics             budget, database, domain, errors, jobs.census, version
    tracing             domain, version
    generation          domain, errors, tasks
    jobs                domain, errors, database, tasks
    records, access     domain, errors, database
    media               domain, errors, fair_semaphore, network, version, tasks
    network             errors
    database            domain, errors
    budget              domain, errors
    credentials         domain, errors, secret_program, google_credentials, which imports domain.ports and errors
    secret_program      errors, redaction, tasks
    connections         connection_table, errors, exchange, hang_up, openai_api.write
    exchange            nothing of ours
    a provider          domain, errors, redaction, tasks, the shared modules of providers; no other provider, but
                        vertex imports gemini and omni, whose APIs it offers at another address
    sandbox             nothing of ours
    domain              errors
    logs                redaction
    risks               settings
    retirements         domain, settings
    machine             credentials, database.address, errors, risks, settings
    reload_plan         domain, settings
    key_models          domain, errors, risks, settings
    reloading           errors, key_models, machine, reload_plan, risks, settings
    control             errors, reloading, tasks
    live_providers      domain, providers.description
    welcome             settings

The rest imports nothing of ours.
"""
