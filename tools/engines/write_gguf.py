#!/usr/bin/env python3
"""Writes a LLaVA of this project (config.json, model.safetensors, tokenizer) as llama.cpp's files.

  write_gguf.py MODEL OUT    MODEL: folder in Hugging Face's layout; OUT/model.gguf and OUT/mmproj.gguf are written

llama.cpp's own converter takes neither tower of these models. Needs the Python packages gguf and numpy
(tools/engines/llama_cpp.sh makes an environment with both).
"""

import json
import pathlib
import struct
import sys

import gguf
import numpy as np

FLOATS = {"F16": np.float16, "F32": np.float32}


def read_safetensors(path):
    """{name: array} of a safetensors file."""
    data = path.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    out = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + size + begin : 8 + size + end], FLOATS[entry["dtype"]])
        out[name] = values.reshape(entry["shape"])
    return out


def read_fields(data):
    """(number, value) of each field of a protobuf message; value: int, or bytes."""

    def varint(at):
        value = shift = 0
        while True:
            byte = data[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value, at

    at = 0
    while at < len(data):
        key, at = varint(at)
        kind = key & 7
        if kind == 0:
            value, at = varint(at)
        else:
            size, at = varint(at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = data[at : at + size], at + size
        yield key >> 3, value


def read_pieces(path):
    """(text, score, type) of each piece of a SentencePiece model; the types are llama.cpp's too."""
    pieces = []
    for number, message in read_fields(path.read_bytes()):
        if number == 1:
            piece = dict(read_fields(message))
            score = struct.unpack("<f", piece[2])[0] if 2 in piece else 0.0
            pieces.append((piece[1], score, piece.get(3, int(gguf.TokenType.NORMAL))))
    return pieces


def write_vocabulary(out, folder, config):
    text = config["text_config"]
    if (folder / "tokenizer.model").exists():
        pieces = read_pieces(folder / "tokenizer.model")
        image = config["image_token_index"]
        pieces[image] = (pieces[image][0], pieces[image][1], int(gguf.TokenType.CONTROL))
        unknown = next(i for i, p in enumerate(pieces) if p[2] == gguf.TokenType.UNKNOWN)
        out.add_tokenizer_model("llama")
        out.add_add_space_prefix(True)
    else:  # words; a unigram model whose pieces are all as likely splits at spaces
        words = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        control = {"<pad>", "<bos>", "<eos>", "<image>"}
        pieces = [(w.encode() if w in control else ("\u2581" + w).encode(), -1.0,
                   int(gguf.TokenType.CONTROL if w in control else gguf.TokenType.NORMAL)) for w in words]
        unknown = text["pad_token_id"]
        pieces[unknown] = (pieces[unknown][0], 0.0, int(gguf.TokenType.UNKNOWN))
        out.add_tokenizer_model("t5")
        out.add_add_space_prefix(True)
        out.add_remove_extra_whitespaces(True)
    out.add_token_list([p[0] for p in pieces])
    out.add_token_scores([p[1] for p in pieces])
    out.add_token_types([p[2] for p in pieces])
    out.add_bos_token_id(text["bos_token_id"])
    out.add_eos_token_id(text["eos_token_id"])
    out.add_unk_token_id(unknown)
    out.add_add_bos_token(True)
    out.add_add_eos_token(False)


def interleave(weight, heads):
    """Rows of a q or k projection from [heads, 2, d/2] (halves are turned) to [heads, d/2, 2] (neighbours are)."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def write_language(path, folder, config, tensors):
    text = config["text_config"]
    heads, kv_heads = text["num_attention_heads"], text["num_key_value_heads"]
    out = gguf.GGUFWriter(path, "llama")
    out.add_name(folder.name)
    out.add_context_length(text["max_position_embeddings"])
    out.add_embedding_length(text["hidden_size"])
    out.add_block_count(text["num_hidden_layers"])
    out.add_feed_forward_length(text["intermediate_size"])
    out.add_head_count(heads)
    out.add_head_count_kv(kv_heads)
    out.add_key_length(text["head_dim"])
    out.add_value_length(text["head_dim"])
    out.add_rope_dimension_count(text["head_dim"])
    out.add_rope_freq_base(text["rope_parameters"]["rope_theta"])
    out.add_layer_norm_rms_eps(text["rms_norm_eps"])
    out.add_vocab_size(text["vocab_size"])
    out.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    write_vocabulary(out, folder, config)
    words = not (folder / "tokenizer.model").exists()
    out.add_string("ostend.prompt", "<image>describe :" if words else "<image>describe:")

    root = "language_model.model."
    out.add_tensor("token_embd.weight", tensors[root + "embed_tokens.weight"].astype(np.float16))
    out.add_tensor("output_norm.weight", tensors[root + "norm.weight"].astype(np.float32))
    out.add_tensor("output.weight", tensors["language_model.lm_head.weight"].astype(np.float16))
    for layer in range(text["num_hidden_layers"]):
        block = f"{root}layers.{layer}."
        q = tensors[block + "self_attn.q_proj.weight"]
        k = tensors[block + "self_attn.k_proj.weight"]
        matrices = {"attn_q": interleave(q, heads), "attn_k": interleave(k, kv_heads)}
        for name, part in (("attn_v", "self_attn.v_proj"), ("attn_output", "self_attn.o_proj"),
                           ("ffn_gate", "mlp.gate_proj"), ("ffn_up", "mlp.up_proj"), ("ffn_down", "mlp.down_proj")):
            matrices[name] = tensors[f"{block}{part}.weight"]
        for name, values in matrices.items():
            out.add_tensor(f"blk.{layer}.{name}.weight", np.ascontiguousarray(values.astype(np.float16)))
        for name, part in (("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm")):
            out.add_tensor(f"blk.{layer}.{name}.weight", tensors[f"{block}{part}.weight"].astype(np.float32))
    finish(out)


def write_vision(path, folder, config, tensors):
    vision = config["vision_config"]
    mean = std = [0.5, 0.5, 0.5]
    if (folder / "processor_config.json").exists():
        processor = json.loads((folder / "processor_config.json").read_text(encoding="utf-8"))["image_processor"]
        mean, std = processor["image_mean"], processor["image_std"]
    out = gguf.GGUFWriter(path, "clip")
    out.add_name(folder.name)
    out.add_bool("clip.has_vision_encoder", True)
    out.add_bool("clip.has_llava_projector", True)
    out.add_string("clip.projector_type", "mlp")
    out.add_bool("clip.use_gelu", True)
    for key, value in (("image_size", vision["image_size"]), ("patch_size", vision["patch_size"]),
                       ("embedding_length", vision["hidden_size"]), ("block_count", vision["num_hidden_layers"]),
                       ("feed_forward_length", vision["intermediate_size"]),
                       ("attention.head_count", vision["num_attention_heads"]),
                       ("projection_dim", config["text_config"]["hidden_size"])):
        out.add_uint32(f"clip.vision.{key}", value)
    out.add_float32("clip.vision.attention.layer_norm_epsilon", vision["layer_norm_eps"])
    out.add_array("clip.vision.image_mean", mean)
    out.add_array("clip.vision.image_std", std)
    # Without it a block less is run than the file has.
    out.add_array("clip.vision.feature_layer", [vision["num_hidden_layers"] + 1 + config["vision_feature_layer"]])
    out.add_file_type(gguf.LlamaFileType.MOSTLY_F16)

    root = "vision_tower."
    embeddings = root + "embeddings."
    clip = vision["model_type"] == "clip_vision_model"
    out.add_tensor("v.patch_embd.weight", tensors[embeddings + "patch_embedding.weight"].astype(np.float16))
    out.add_tensor("v.position_embd.weight", tensors[embeddings + "position_embedding.weight"].astype(np.float32))
    if clip:
        out.add_tensor("v.class_embd", tensors[embeddings + "class_embedding"].astype(np.float32))
        for part in ("weight", "bias"):
            out.add_tensor(f"v.pre_ln.{part}", tensors[f"{root}pre_layrnorm.{part}"].astype(np.float32))
    else:
        out.add_tensor("v.patch_embd.bias", tensors[embeddings + "patch_embedding.bias"].astype(np.float32))
    names = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
             "attn_out": "self_attn.out_proj", "ln1": "layer_norm1", "ln2": "layer_norm2",
             "ffn_up": "mlp.fc1", "ffn_down": "mlp.fc2"}
    for layer in range(vision["num_hidden_layers"]):
        for name, part in names.items():
            write_linear(out, f"v.blk.{layer}.{name}", tensors, f"{root}encoder.layers.{layer}.{part}")
    write_linear(out, "mm.0", tensors, "multi_modal_projector.linear_1")
    write_linear(out, "mm.2", tensors, "multi_modal_projector.linear_2")
    finish(out)


def write_linear(out, name, tensors, source):
    """Matrices as f16, vectors as f32."""
    weight = tensors[source + ".weight"]
    out.add_tensor(name + ".weight", weight.astype(np.float16 if weight.ndim == 2 else np.float32))
    out.add_tensor(name + ".bias", tensors[source + ".bias"].astype(np.float32))


def finish(out):
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config["model_type"] != "llava" or config["text_config"]["model_type"] != "llama":
        sys.exit(f"{folder}: not a LLaVA on a Llama")
    tensors = read_safetensors(folder / "model.safetensors")
    target.mkdir(parents=True, exist_ok=True)
    write_language(target / "model.gguf", folder, config, tensors)
    write_vision(target / "mmproj.gguf", folder, config, tensors)


if __name__ == "__main__":
    main()
