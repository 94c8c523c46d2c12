"""The Flask app: one folder a face, and the server that holds the sockets."""
