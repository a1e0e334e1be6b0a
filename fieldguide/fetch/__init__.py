"""Every photo's bytes, once: the plan, the network, the ledger, the cache, and reading back."""
