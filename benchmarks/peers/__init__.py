"""ragcli beside the tools that people use for the same: each installed and run as its own users do."""
