"""What a YAML file may say: the sections, the vocabularies, and the reader that checks them."""
