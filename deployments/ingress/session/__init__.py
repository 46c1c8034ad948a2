"""One camera and its comments over one WebSocket: what the route `WS /v1/rooms/{room_id}/session` is made of."""
