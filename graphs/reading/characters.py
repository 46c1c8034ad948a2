"""What a Chinese character is: the one range that every pattern of the graphs is made with."""

import re

HAN = r"\u3400-\u9fff"  # inside a character class
CJK = re.compile(f"[{HAN}]")
CJK_RUN = re.compile(f"[{HAN}]+")
X_NOT_X = rf"([{HAN}])[不没]\1"  # 酸不酸: asks whether it is sour; its character is the first group
