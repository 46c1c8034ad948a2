"""What a call is made of, without any input or output: requests, replies, streams, and when to try again."""
