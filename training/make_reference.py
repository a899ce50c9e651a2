#!/usr/bin/env python3
"""Reference values of a LLaVA made with PyTorch and Transformers, for the tests of the Eigen host.

    make_reference.py --model models/tiny-llava --images DIR --out DIR [--captions-only]
    make_reference.py --make-images DIR            (the few test images themselves; needs the emoji font)

Writes into --out:
  captions.json           for every image: the caption, its tokens and, for every phrase (the words after "a"
                          or "an"), the peak pixel and its margin over the second highest pixel. A phrase's
                          map is the mean over its tokens of the rows of the predicting queries (mean over all
                          layers and heads), less the mean row of all steps, the end token's included.
  reference.safetensors   without --captions-only, for every image NAME, all float32:
                          NAME/logits [tokens, vocabulary] and NAME/rows [tokens, image tokens] of the queries
                          that predict the tokens; for the first image also NAME/features [image tokens,
                          width] after the projector, NAME/attention [layers, tokens, heads, keys], NAME/q
                          [layers, tokens, heads, d] and NAME/k [layers, keys, kv_heads, d], after the
                          rotary embedding.
  tokeniser.json          without --captions-only: strings with their tokens, token lists with their text.
  NAME.square.png         without --captions-only, for images that are not the model's square: what it sees.

Tokens include the end token. Arithmetic is float32 with eager attention; images are padded to a square of
grey (127, 127, 127) and resized with PIL's bicubic filter, as LLaVA-1.5 does.
"""
# Requirements: torch, transformers >= 5, tokenizers, safetensors, numpy, pillow.
import argparse
import json
import random
import re
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

PHRASE = re.compile(r"\b(?:a|an) ([^,.]+?)(?= (?:and|next to|near|with) |\s*[,.]|$)")


class WordTokenizer:
    """A list of words; text is split at spaces."""

    prompt = "<bos> <image> describe :"

    def __init__(self, path):
        self.words = json.loads(Path(path).read_text())
        self.special = {i for i, w in enumerate(self.words) if len(w) > 2 and w.startswith("<")}

    def encode(self, text):
        return [self.words.index(word) for word in text.split(" ") if word]

    def decode(self, ids):
        return " ".join(self.words[i] for i in ids if i not in self.special)


class PieceTokenizer:
    """tokenizer.json, run by Hugging Face's tokenizers."""

    prompt = "<s><image> describe:"

    def __init__(self, path):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(path))

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids):
        return self.tokenizer.decode(ids, skip_special_tokens=True)


def open_tokenizer(model_dir):
    pieces = model_dir / "tokenizer.json"
    return PieceTokenizer(pieces) if pieces.exists() else WordTokenizer(model_dir / "vocab.json")


def fit_to_square(image, side, mean=0.5):
    longer = max(image.size)
    square = Image.new("RGB", (longer, longer), (int(mean * 255),) * 3)
    square.paste(image, ((longer - image.width) // 2, (longer - image.height) // 2))
    return square if longer == side else square.resize((side, side), Image.Resampling.BICUBIC)


class Reference:
    def __init__(self, model_dir):
        import torch
        from transformers import LlavaForConditionalGeneration
        from transformers.models.llama import modeling_llama

        self.torch = torch
        self.model = LlavaForConditionalGeneration.from_pretrained(
            model_dir, dtype=torch.float32, attn_implementation="eager").eval()
        self.config = self.model.config
        self.tokenizer = open_tokenizer(Path(model_dir))
        self.side = self.config.vision_config.image_size
        self.grid = self.side // self.config.vision_config.patch_size
        prompt = self.tokenizer.encode(self.tokenizer.prompt)
        at = prompt.index(self.config.image_token_id)
        self.prompt = prompt[:at] + [self.config.image_token_id] * self.grid**2 + prompt[at + 1:]
        self.first_image_key = at
        self.seen = []  # q and k of every layer of the last forward pass
        eager = modeling_llama.eager_attention_forward

        def recording(module, query, key, *args, **kwargs):
            self.seen.append((query, key))
            return eager(module, query, key, *args, **kwargs)

        modeling_llama.eager_attention_forward = recording

    def pixels(self, square):
        values = self.torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)[None].float()
        return (values / 255 - 0.5) / 0.5

    def run(self, image):
        torch = self.torch
        square = fit_to_square(image, self.side)
        pixels = self.pixels(square)
        prompt = torch.tensor([self.prompt])
        with torch.no_grad():
            out = self.model.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt),
                                      pixel_values=pixels, do_sample=False, max_new_tokens=64)
            ids = out[0, len(self.prompt):].tolist()
            self.seen.clear()
            # One pass over prompt and answer: the query at position p predicts the token at p + 1.
            whole = torch.tensor([self.prompt + ids[:-1]])
            out = self.model(input_ids=whole, attention_mask=torch.ones_like(whole), pixel_values=pixels,
                             output_attentions=True)
            features = self.model.get_image_features(
                pixels, vision_feature_layer=self.config.vision_feature_layer,
                vision_feature_select_strategy=self.config.vision_feature_select_strategy)
        features = getattr(features, "pooler_output", features)
        first = len(self.prompt) - 1
        attention = torch.stack([layer[0, :, first:] for layer in out.attentions])  # [layers, heads, t, keys]
        keys = slice(self.first_image_key, self.first_image_key + self.grid**2)
        return {
            "square": square,
            "ids": ids,
            "logits": out.logits[0, first:],
            "rows": attention[..., keys].mean((0, 1)),
            "attention": attention.transpose(1, 2),
            "q": torch.stack([q[0].transpose(0, 1)[first:] for q, _ in self.seen]),
            "k": torch.stack([k[0].transpose(0, 1) for _, k in self.seen]),
            "features": features[0].reshape(-1, self.config.text_config.hidden_size),
        }

    def token_spans(self, ids):
        """Characters of each token in the caption, by decoding ever longer prefixes."""
        ends = [len(self.tokenizer.decode(ids[:n])) for n in range(len(ids) + 1)]
        return list(zip(ends[:-1], ends[1:]))

    def phrases(self, ids, rows, size):
        torch = self.torch
        caption = self.tokenizer.decode(ids)
        spans = self.token_spans(ids)
        maps = rows - rows.mean(0, keepdim=True)
        found = []
        for match in PHRASE.finditer(caption):
            begin, end = match.span(1)
            tokens = [t for t, (b, e) in enumerate(spans) if max(b, begin) < min(e, end)]
            square = maps[tokens].mean(0).reshape(1, 1, self.grid, self.grid)
            longer = max(size)
            big = torch.nn.functional.interpolate(square, (longer, longer), mode="bicubic",
                                                  align_corners=False)[0, 0]
            left, top = (longer - size[0]) // 2, (longer - size[1]) // 2
            big = big[top:top + size[1], left:left + size[0]]
            best = big.flatten().topk(2).values.tolist()
            at = int(big.argmax())
            found.append({"text": match.group(1), "span": [begin, end], "tokens": tokens,
                          "peak": [at % size[0], at // size[0]], "value": best[0], "margin": best[0] - best[1]})
        return caption, found


def tokeniser_cases(tokenizer, classes):
    draw = random.Random(5)
    word_level = isinstance(tokenizer, WordTokenizer)
    texts = ["", "a dog", "a dog and a cat .", "there is a bunch of grapes next to a piece of cheese ."]
    for _ in range(30):
        names = draw.sample(classes, draw.randint(2, 4))
        opening = draw.choice(["", "there is ", "this image shows ", "i see ", "we can see ", "the picture contains "])
        texts.append(opening + " and ".join(f"{article} {name}" for _, article, name, _ in names) + " .")
    if word_level:
        texts += ["  a   dog ", "describe :"]
    else:
        texts += [tokenizer.prompt, " a dog", "  two  spaces ", " ", "   ", "A Dog", "dog", "</s>", "<s>a dog</s>",
                  "a<image>b", "<image> <image>", "<s> a", "<pad><unk>", "<s", "<imag", "s></s", "<0x41>",
                  "tab\tand\nline", "caf\u00e9", "cafe\u0301", "\u2581a\u2581dog", "\u2581", "na\u00efve \u65e5\u672c\u8a9e",
                  "\U0001f415 is a dog", "\U0001f469\u200d\U0001f680", "\u00a0nbsp", "0123456789", "x" * 50,
                  "airplaneairplane", "watermelonwatermelon", "anan and anand", "...", ",,,", "a.b,c:d",
                  "describe:", "describe the image.", "\u0000zero", "\u07ff\u0800\uffff\U00010000\U0010ffff"]
        alphabet = "abcdeghilnorstuw   .,:\u00e9\u2581"
        texts += ["".join(draw.choice(alphabet) for _ in range(draw.randint(1, 40))) for _ in range(40)]
    count = len(tokenizer.words) if word_level else tokenizer.tokenizer.get_vocab_size()
    lists = [tokenizer.encode(text) for text in texts]
    lists += [[draw.randrange(count) for _ in range(draw.randint(1, 12))] for _ in range(40)]
    if not word_level:  # a byte of part of a character would be replaced; the host keeps it as it is
        lists = [ids for ids in lists if "\ufffd" not in tokenizer.decode(ids)]
    return {"encode": [{"text": text, "ids": tokenizer.encode(text)} for text in texts],
            "decode": [{"ids": ids, "text": tokenizer.decode(ids)} for ids in lists]}


def make_images(folder, font):
    """Emoji on plain and striped backgrounds; the same bytes on every run with the same font and PIL."""
    font = ImageFont.truetype(font, 109)

    def sprite(character, size):
        glyph = Image.new("RGBA", (136, 128))
        ImageDraw.Draw(glyph).text((0, 0), character, font=font, embedded_color=True)
        glyph = glyph.crop(glyph.getchannel("A").point(lambda a: 255 * (a > 40)).getbbox())
        scale = size / max(glyph.size)
        return glyph.resize([round(s * scale) for s in glyph.size], Image.Resampling.LANCZOS)

    def scene(name, size, colours, objects, stripes=0):
        width, height = size
        y, x = np.mgrid[:height, :width]
        mix = np.clip((x + y) / (width + height) if not stripes else (x // stripes % 2) * 0.5, 0, 1)[..., None]
        image = np.array(colours[0]) * (1 - mix) + np.array(colours[1]) * mix
        image = Image.fromarray(image.astype(np.uint8))
        for character, side, left, top in objects:
            glyph = sprite(character, side)
            image.paste(glyph, (left, top), glyph)
        image.save(folder / f"{name}.png", optimize=True)

    folder.mkdir(parents=True, exist_ok=True)
    scene("dog_grapes", (144, 144), [(60, 110, 160), (200, 190, 150)],
          [("\U0001f415", 56, 10, 66), ("\U0001f347", 48, 86, 20)])
    scene("three_stripes", (144, 144), [(150, 90, 80), (110, 120, 70)],
          [("\U0001f412", 44, 6, 12), ("\U0001f355", 48, 52, 80), ("\U0001f99c", 40, 100, 26)], stripes=12)
    scene("wide", (216, 144), [(180, 180, 190), (90, 140, 90)],
          [("\U0001f40e", 66, 14, 50), ("\U0001f352", 54, 82, 12), ("\U0001f697", 60, 146, 74)])
    scene("tall_large", (240, 400), [(70, 60, 110), (170, 140, 120)],
          [("\U0001f34e", 130, 20, 40), ("\U0001f418", 150, 60, 220)])
    scene("small", (90, 61), [(200, 200, 90), (90, 120, 200)],
          [("\U0001f408", 36, 4, 12), ("\U0001f34c", 32, 54, 20)], stripes=20)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", type=Path)
    arguments.add_argument("--images", type=Path, help="a folder of PNG files")
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--captions-only", action="store_true")
    arguments.add_argument("--make-images", type=Path, metavar="DIR")
    arguments.add_argument("--font", default="/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
    arguments.add_argument("--classes", type=Path, default=Path("models/classes.tsv"))
    options = arguments.parse_args()
    if options.make_images:
        make_images(options.make_images, options.font)
    if not options.model:
        return
    if not options.images or not options.out:
        arguments.error("--model needs --images and --out")

    reference = Reference(options.model)
    options.out.mkdir(parents=True, exist_ok=True)
    tensors, images = {}, []
    for path in sorted(options.images.glob("*.png")):
        image = Image.open(path).convert("RGB")
        run = reference.run(image)
        caption, phrases = reference.phrases(run["ids"], run["rows"], image.size)
        images.append({"image": path.name, "size": list(image.size), "caption": caption, "ids": run["ids"],
                       "phrases": phrases})
        print(path.name, "|", caption)
        if options.captions_only:
            continue
        names = ["logits", "rows"] if tensors else ["logits", "rows", "features", "attention", "q", "k"]
        tensors.update({f"{path.stem}/{name}": run[name].contiguous() for name in names})
        if image.size != (reference.side, reference.side):
            run["square"].save(options.out / f"{path.stem}.square.png", optimize=True)

    def write(name, value):
        (options.out / name).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")

    write("captions.json", {"model": options.model.name, "prompt": reference.prompt, "images": images})
    if not options.captions_only:
        from safetensors.torch import save_file

        save_file(tensors, options.out / "reference.safetensors")
        classes = [line.split("\t") for line in options.classes.read_text().splitlines()[1:]]
        write("tokeniser.json", tokeniser_cases(reference.tokenizer, classes))


if __name__ == "__main__":
    main()
