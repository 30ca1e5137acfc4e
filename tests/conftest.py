import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for what tests share, such as published_champion.py
