"""The agents that come with the console, one YAML file each."""
