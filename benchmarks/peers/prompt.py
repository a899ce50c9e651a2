"""Peers of benchmarks/prompt: mask prompts and boxes out of maps, as groundLMM's convert_mask_SAM and convert_box_SAM
make them."""
from peer import case, serve

for side in (1024, 2048):
    @case(f"sam.maskprompt.{side}to256.B4", "torch")
    def _(side=side):
        import torch
        maps = torch.rand(4, side, side)

        def one(m):
            p = m.clamp(1e-3, 1 - 1e-3)
            logits = torch.log(p / (1 - p))[None, None]
            return torch.nn.functional.interpolate(logits, size=(256, 256), mode="bicubic")[0]

        return lambda: [one(m) for m in maps]

    @case(f"mask2box.{side}", "groundLMM's arithmetic in numpy")
    def _(side=side):
        import numpy as np
        at = (2 * np.arange(side) + 1 - side) / side
        m = np.exp(-4 * (at[:, None] ** 2 + at ** 2)).astype(np.float32)

        def box():
            y, x = np.where(m / np.float32(1) > np.float32(0.75))
            return x.min(), y.min(), x.max() + 1, y.max() + 1

        return box

serve()
