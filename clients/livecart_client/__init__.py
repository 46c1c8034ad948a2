"""Client side of livecart: the wire models that the server, the client and the tests share."""
