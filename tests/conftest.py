import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))  # for what tests share, such as published_champion.py

torch.set_num_threads(1)  # as in a run; several threads on small tensors are slower, far more on a busy machine
