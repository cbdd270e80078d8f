"""A run of the study while it goes on: how far it is, how long it will take, and what a terminal says of it."""
