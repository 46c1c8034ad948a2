"""A small shop for tests of graphs: two products, one room, one viewer."""

from datetime import UTC, datetime
from decimal import Decimal

from models.types import Event, EventId, Match, Money, Passage, Product, ProductId, Room, RoomId, ViewerId

LAMP = Product(
    product_id=ProductId("sku-lamp"),
    title="Lumo desk lamp",
    category="home",
    price=Money(Decimal("49.90"), "USD"),
    brand="Lumo",
    attributes={"power": "12 W", "material": "aluminium"},
    stock=8,
)
MUG = Product(
    ProductId("sku-mug"), "Terra travel mug", "kitchen", Money(Decimal("19.00"), "USD"), attributes={"capacity": "350 ml"}, stock=0
)
PEN = Product(ProductId("sku-pen"), "Inkwell pen", "home", Money(Decimal("5.00"), "USD"), stock=3)
ROOM = Room(RoomId("room-1"), "Home evening", "Ann", live=True, shelf=(LAMP.product_id, MUG.product_id), showing=LAMP.product_id)
VIEWER = ViewerId("ada")
ENTER = Event(EventId("e1"), VIEWER, "enter", datetime(2026, 11, 1, tzinfo=UTC), room_id=ROOM.room_id)
POWER = Passage("sku-lamp#power", "spec", "Lumo desk lamp: power: 12 W", 0.8, LAMP.product_id)
WARRANTY = Passage(
    "doc-1", "qa", "The warranty is 2 years.", 0.9, LAMP.product_id, question="How long is the warranty?", answer="The warranty is 2 years."
)
LAMP_MATCH = Match(LAMP.product_id, 0.9)
