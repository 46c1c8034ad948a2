"""Files as documents of the knowledge base: decoded, cut into passages with their headings, named so that reading again replaces."""
