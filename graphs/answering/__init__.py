"""From what is known about a question to what is said: stored answers, evidence, the checked and shared words of the writer."""
