"""Our own live-commerce text, generated: invented products, what viewers ask about them, what hosts say."""
