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

    @case(f"aggregate.step.L32H32.K704.{dtype}", "torch-per-layer-hook")
    def _():
        torch, a = attention(dtype)
        at = [0]

        def step():  # what a hook on each layer's attention can do
            at[0] = (at[0] + 1) % TOKENS
            total = torch.zeros(KEYS)
            for layer in a[at[0]]:
                total += layer.mean(0)
            return total / LAYERS

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


# Layers, heads, key heads of the models of benchmarks/attention/from_qk_bench.cpp.
LLAVA_7B, LLAVA_13B, QWEN25_VL_7B, MISTRAL_7B = (32, 32, 32), (40, 40, 40), (28, 28, 4), (32, 32, 8)


def name_of(model, queries, keys):
    layers, heads, kv_heads = model
    key_heads = "" if kv_heads == heads else f"KV{kv_heads}"
    return f"qk.T{queries}.L{layers}H{heads}{key_heads}D{D}.K{keys}"


def queries_and_keys(model, queries, keys, dtype):
    import torch
    layers, heads, kv_heads = model
    kind = kind_of(torch, dtype)
    q = [torch.randn(heads, queries, D).to(kind) for _ in range(layers)]
    k = [(torch.rand(kv_heads, keys, D) * 2 - 1).to(kind) for _ in range(layers)]
    return torch, q, k


def layer_attention(torch, q, k):
    if len(q) != len(k):  # the query heads of a key head as more queries: nothing is repeated, one product a key head
        scores = q.reshape(len(k), -1, D) @ k.transpose(1, 2)
        return torch.softmax(scores.view(len(q), -1, k.shape[1]) * D**-0.5, dim=-1)
    return torch.softmax(q @ k.transpose(1, 2) * D**-0.5, dim=-1)


def streaming(model, queries, keys, dtype, op_dtype=None, impl="torch-streaming", threads=1):
    @case(f"{name_of(model, queries, keys)}.{op_dtype or dtype}", impl, threads)
    def _():
        torch, q, k = queries_and_keys(model, queries, keys, dtype)

        def run():
            total = torch.zeros(queries, keys)
            for layer_q, layer_k in zip(q, k):
                total += layer_attention(torch, layer_q, layer_k).mean(0)
            return total / len(q)

        return run


def eager(model, queries, keys, dtype):
    @case(f"{name_of(model, queries, keys)}.{dtype}", "torch-hf-eager")
    def _():
        torch, q, k = queries_and_keys(model, queries, keys, dtype)

        def run():
            kept = [layer_attention(torch, layer_q, layer_k) for layer_q, layer_k in zip(q, k)]
            return torch.cat(kept).mean(0)

        return run


def qk_cases(queries, keys):
    for dtype in ("f32", "bf16"):
        streaming(LLAVA_7B, queries, keys, dtype)
        eager(LLAVA_7B, queries, keys, dtype)
    # PyTorch's products of f16 take six times those of bf16 on a processor without f16 arithmetic: f16 keys are
    # compared with its bf16.
    streaming(LLAVA_7B, queries, keys, "bf16", "f16", "torch-streaming-bf16")


def log_sum_exp_cases(queries, heads=32, keys=2880, image=slice(35, 35 + 576)):
    shape = f"T{queries}.L1H{heads}D{D}.K{keys}.f32"

    def inputs():
        import torch
        return torch, torch.randn(heads, queries, D), torch.randn(heads, keys, D)

    @case(f"lse.{shape}", "torch")
    def _():
        torch, q, k = inputs()
        return lambda: torch.logsumexp(q @ k.transpose(1, 2) * D**-0.5, -1)

    @case(f"qk.{shape}.image576", "torch-all-keys")
    def _():
        torch, q, k = inputs()
        return lambda: layer_attention(torch, q, k)[:, :, image].mean(0)

    @case(f"qk.{shape}.image576", "torch")
    def _():
        torch, q, k = inputs()
        known = torch.logsumexp(q @ k.transpose(1, 2) * D**-0.5, -1, keepdim=True)
        return lambda: (q @ k[:, image].transpose(1, 2) * D**-0.5 - known).exp().mean(0)


# ---- less the mean ------------------------------------------------------------------------------------------------


@case("normalize.T64.24x24", "torch")
def _():
    import torch
    maps = torch.rand(64, 576)
    return lambda: maps - maps.mean(0)


@case("normalize.T64.24x24", "numpy")
def _():
    import numpy as np
    maps = np.random.default_rng(1).random((64, 576), dtype=np.float32)
    return lambda: maps - maps.mean(0)


for dtype in ("f32", "f16", "bf16"):
    aggregate_cases(dtype)
for keys in (704, 2880):
    for queries in (1, 64):
        qk_cases(queries, keys)
for queries in (1, 64):
    log_sum_exp_cases(queries)
    streaming(LLAVA_13B, queries, 704, "bf16")
    streaming(QWEN25_VL_7B, queries, 1369, "bf16")
    streaming(MISTRAL_7B, queries, 2880, "bf16")
    streaming(LLAVA_7B, queries, 2880, "bf16", threads=2)

serve()
