"""Which shape the demo catalogue's products have; products that are not listed get one of their category's shapes."""

DEMO_FAMILIES: dict[str, str] = {
    "sku-1001": "lipstick", "sku-1002": "compact", "sku-1003": "lipstick", "sku-1004": "compact", "sku-1005": "compact",
    "sku-1006": "pump", "sku-1007": "pump", "sku-1008": "tube", "sku-1009": "jar", "sku-1010": "jar",
    "sku-1011": "pouch", "sku-1012": "pouch", "sku-1013": "pouch", "sku-1014": "pouch", "sku-1015": "tin",
    "sku-1016": "carton", "sku-1017": "can", "sku-1018": "carton", "sku-1019": "can", "sku-1020": "tin",
    "sku-1021": "pan", "sku-1022": "kettle", "sku-1023": "mug", "sku-1024": "pan", "sku-1025": "kettle",
    "sku-1026": "cushion", "sku-1027": "lamp", "sku-1028": "plant", "sku-1029": "cushion", "sku-1030": "lamp",
    "sku-1031": "headphones", "sku-1032": "phone", "sku-1033": "speaker", "sku-1034": "watch", "sku-1035": "phone",
    "sku-1036": "tshirt", "sku-1037": "dress", "sku-1038": "trousers", "sku-1039": "tshirt", "sku-1040": "tshirt",
    "sku-1041": "sneaker", "sku-1042": "sneaker", "sku-1043": "boot", "sku-1044": "boot", "sku-1045": "sneaker",
    "sku-1046": "blocks", "sku-1047": "bear", "sku-1048": "car", "sku-1049": "blocks", "sku-1050": "ball",
    "sku-1051": "racket", "sku-1052": "dumbbell", "sku-1053": "pouch", "sku-1054": "bottle", "sku-1055": "racket",
    "sku-1056": "pouch", "sku-1057": "bone", "sku-1058": "cat_house", "sku-1059": "bowl", "sku-1060": "bowl",
}  # fmt: skip
