"""The native API by its own client: which products a frame shows. `python recognize.py FRAME [URL]` (pip install ./clients)"""

import sys

from livecart_client import Client, errors

frame, url = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "http://localhost:8000"

with Client(url, deadline_s=10.0) as client:  # a key comes from LIVECART_API_KEY
    try:
        seen = client.recognize(frame, top_k=1)
    except errors.LivecartError as error:
        sys.exit(f"{error.code}: {error.message}")
for product in seen.products:
    named = product.matches[0].title if product.matches else "not enrolled"
    print(f"{product.category} {product.score:.2f} at {[round(side) for side in product.box]}: {named}")
