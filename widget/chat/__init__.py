"""The chat: the customers' API and the files of the ``<support-chat>`` element."""
