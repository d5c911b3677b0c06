"""A compensation plan as data: the document, its reader, its checks, and the games that its shape invites."""
