"""Who may ask: the adapter's own keys, from the configuration and from `adapter keys create`."""
