"""The help centre: server-rendered pages over the public articles, readable without JavaScript."""
