"""Peers of benchmarks/attention: means of attention that is there, and attention made from q and k.

torch-streaming makes one layer's attention at a time and adds its mean over heads; no full matrix is kept.
torch-hf-eager keeps the attentions of all layers, as Hugging Face's output_attentions does, then joins and
averages them. BLAS cores are detected, whatever the caller's environment names."""
import os

os.environ.pop("OPENBLAS_CORETYPE", None)

from peer import case, serve  # noqa: E402 (after the environment)

TOKENS, LAYERS, HEADS, D, KEYS = 64, 32, 32, 128, 704


def kind_of(torch, dtype):
    return {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[dtype]


# ---- attention that is there --------------------------------------------------------------------------------------


def attention(dtype):
    import torch
    a = torch.rand(TOKENS, LAYERS, HEADS, KEYS) / KEYS
    return torch, a.to(kind_of(torch, dtype))


def aggregate_cases(dtype):
    op = f"aggregate.T64.L32H32.K704.{dtype}"

    @case(op, "torch-one-mean")
    def _():
        _, a = attention(dtype)
        return lambda: a.mean((1, 2))

    @case(op, "torch-one-mean-f32acc")
    def _():
        torch, a = attention(dtype)
        return lambda: a.mean((1, 2), dtype=torch.float32)

    @case(op, "torch-slice-then-cat")
    def _():
        torch, a = attention(dtype)
        steps = [[a[t, layer][None, :, None] for layer in range(LAYERS)] for t in range(TOKENS)]
        return lambda: torch.cat([torch.cat([layer[0, :, -1] for layer in step]).mean(0)[None] for step in steps])

    @case(f"aggregate.step.L32H32.K704.{dtype}", "torch-mean")
    def _():
        _, a = attention(dtype)
        at = [0]

        def step():
            at[0] = (at[0] + 1) % TOKENS
            return a[at[0]].mean((0, 1))

        return step

    @case(f"aggregate.hotstep.L32H32.K704.{dtype}", "torch-mean")
    def _():
        _, a = attention(dtype)
        return lambda: a[0].mean((0, 1))

    if dtype != "bf16":  # NumPy has none
        @case(op, "numpy-mean-f32acc")
        def _():
            import numpy as np
            rng = np.random.default_rng(1)
            a = rng.random((TOKENS, LAYERS, HEADS, KEYS), dtype=np.float32) / KEYS
            a = a.astype({"f32": np.float32, "f16": np.float16}[dtype])
            return lambda: a.mean((1, 2), dtype=np.float32)


# ---- attention from q and k ---------------------------------------------------------------------------------------


def queries_and_keys(queries, keys, dtype):
    import torch
    kind = kind_of(torch, dtype)
    q = [torch.randn(HEADS, queries, D).to(kind) for _ in range(LAYERS)]
    k = [(torch.rand(HEADS, keys, D) * 2 - 1).to(kind) for _ in range(LAYERS)]
    return torch, q, k


def layer_attention(torch, q, k):
    return torch.softmax(q @ k.transpose(1, 2) * D**-0.5, dim=-1)


def streaming(op, impl, queries, keys, dtype):
    @case(op, impl)
    def _():
        torch, q, k = queries_and_keys(queries, keys, dtype)

        def run():
            total = torch.zeros(queries, keys)
            for layer in range(LAYERS):
                total += layer_attention(torch, q[layer], k[layer]).mean(0)
            return total / LAYERS

        return run


def qk_cases(queries, keys):
    name = f"qk.T{queries}.L32H32D128.K{keys}"
    for dtype in ("f32", "bf16"):
        streaming(f"{name}.{dtype}", "torch-streaming", queries, keys, dtype)

        @case(f"{name}.{dtype}", "torch-hf-eager")
        def _(dtype=dtype):
            torch, q, k = queries_and_keys(queries, keys, dtype)

            def run():
                kept = [layer_attention(torch, q[layer], k[layer]) for layer in range(LAYERS)]
                return torch.cat(kept).mean(0)

            return run

    # PyTorch's products of f16 take six times those of bf16 on a processor without f16 arithmetic: f16 keys are
    # compared with its bf16.
    streaming(f"{name}.f16", "torch-streaming-bf16", queries, keys, "bf16")


for dtype in ("f32", "f16", "bf16"):
    aggregate_cases(dtype)
for keys in (704, 2880):
    for queries in (1, 64):
        qk_cases(queries, keys)

serve()
