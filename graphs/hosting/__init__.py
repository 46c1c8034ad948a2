"""What a host says and when: drafted sentences, fixed phrases, segments laid out in time."""
