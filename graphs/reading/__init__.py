"""What a question asks for, what is known cut into statements that may answer it, which products are meant."""
