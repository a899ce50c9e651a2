"""Peers of benchmarks/machine: the matrix products of PyTorch, in f32 and in bf16."""
from peer import case, serve


def product(m, n, k, dtype):
    @case(f"gemm.{dtype}.{m}x{n}x{k}", "torch")
    def _():
        import torch
        kind = {"f32": torch.float32, "bf16": torch.bfloat16}[dtype]
        a = torch.randn(m, k).to(kind)
        b = torch.randn(n, k).to(kind)
        return lambda: a @ b.T


for shape in ((1024, 1024, 1024), (2048, 2048, 2048), (64, 2880, 128)):
    for dtype in ("f32", "bf16"):
        product(*shape, dtype)

serve()
