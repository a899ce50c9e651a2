"""Peers of benchmarks/geometry: the image that SAM reads, resized with antialiasing, scaled and padded; by PyTorch in
f32 as ours, and by Pillow as segment-anything does it, which rounds to whole bytes between."""
import numpy as np

from peer import case, serve

MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


def padded(torch, planes):
    """Sam.preprocess"""
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, DEVIATION))
    scaled = (planes - mean) / deviation
    return torch.nn.functional.pad(scaled, (0, 1024 - planes.shape[-1], 0, 1024 - planes.shape[-2]))


for width, height in ((640, 480), (2048, 1536)):

    def image(width=width, height=height):
        return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)

    @case(f"sam.image.{width}x{height}to1024x768", "torch")
    def _(image=image):
        import torch
        pixels = torch.from_numpy(image())

        def run():
            planes = pixels.permute(2, 0, 1)[None].float()
            resized = torch.nn.functional.interpolate(planes, size=(768, 1024), mode="bilinear", antialias=True)
            return padded(torch, resized[0])
        return run

    @case(f"sam.image.{width}x{height}to1024x768", "Pillow, torch")
    def _(image=image):
        import torch
        from PIL import Image
        pixels = Image.fromarray(image())

        def run():
            resized = np.array(pixels.resize((1024, 768), Image.Resampling.BILINEAR))
            return padded(torch, torch.from_numpy(resized).permute(2, 0, 1).contiguous())
        return run


if __name__ == "__main__":
    serve()
