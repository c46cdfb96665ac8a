"""One ordered, transactional key-value store under every service. `interface` is the contract."""
