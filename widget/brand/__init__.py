"""A company's voice: name, logo, colours, greeting, quick topics, e-mail and opening hours, from its ``brand.yml``."""
