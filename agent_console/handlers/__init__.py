"""Job types that come with the console; written with the public SDK, as anybody's would be."""
