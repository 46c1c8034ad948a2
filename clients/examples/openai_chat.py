"""The writer by the stock OpenAI client. `python openai_chat.py TEXT [URL]` (pip install openai)"""

import os
import sys

from openai import OpenAI

text, url = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://localhost:8000"

with OpenAI(base_url=f"{url}/v1", api_key=os.environ.get("LIVECART_API_KEY", "none")) as client:
    chunks = client.chat.completions.create(
        model="writer",
        messages=[{"role": "user", "content": text}],
        max_tokens=64,
        stream=True,
        extra_headers={"X-Deadline-Ms": "20000"},
    )
    for chunk in chunks:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
