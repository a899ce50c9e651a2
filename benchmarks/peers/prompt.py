"""Peers of benchmarks/prompt: mask prompts out of maps, as groundLMM's convert_mask_SAM makes them."""
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

serve()
