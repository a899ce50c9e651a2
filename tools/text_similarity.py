#!/usr/bin/env python3
"""Makes the similarity file of ostend_gcg_eval, {label: {phrase: cosine}}, with BERT as GLaMM's and groundLMM's
scripts use it: bert-base-uncased, the mean of the last hidden state over all tokens ([CLS] and [SEP] too), texts cut
at 512 tokens, cosine. Each text is embedded once; a pair is written for each label and phrase of one image.

Needs the Python packages torch and transformers, and the model: its name (downloaded once by transformers), or a
folder that holds it."""
import argparse
import json
import os
import sys


def fail(sentence):
    sys.exit(f"text_similarity.py: {sentence}")


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        fail(f"{path}: {error}")


def field(record, name, path):
    if not isinstance(record, dict) or name not in record:
        fail(f"{path}: the field {name} is missing")
    return record[name]


def texts_of(predictions, captions):
    """Labels and phrases of each image that has a prediction."""
    truth = load(captions)
    labels = {}
    for annotation in field(truth, "annotations", captions):
        # The first caption of an image is the one that counts.
        labels.setdefault(field(annotation, "image_id", captions), field(annotation, "labels", captions))
    missing = []
    for image in (field(record, "id", captions) for record in field(truth, "images", captions)):
        path = os.path.join(predictions, f"{image}.json")
        if not os.path.exists(path):
            missing.append(path)
            continue
        prediction = load(path)
        if isinstance(prediction, dict) and prediction:
            first = next(iter(prediction.values()))
            if isinstance(first, dict) and "caption" in first and "phrases" in first:
                prediction = first
        yield labels.get(image, []), field(prediction, "phrases", path)
    if missing:
        print(f"{len(missing)} images have no prediction: {missing[0]}{', ...' * (len(missing) > 1)}", file=sys.stderr)


class Embedder:
    def __init__(self, name, device):
        try:
            import torch
            from transformers import AutoModel, AutoTokenizer
        except ImportError as error:
            fail(f"{error}; the Python packages torch and transformers are needed")
        self.torch, self.device = torch, device
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(name)
            self.model = AutoModel.from_pretrained(name).to(device).eval()
        except (OSError, ValueError, RuntimeError) as error:
            fail(f"the model {name} cannot be loaded: {error}")
        self.known = {}

    def __call__(self, text):
        """Unit length, so that a product is a cosine; float32 as the published scripts have it."""
        if text not in self.known:
            with self.torch.inference_mode():
                inputs = self.tokenizer(text, return_tensors="pt", max_length=512, truncation=True).to(self.device)
                mean = self.model(**inputs).last_hidden_state[0].mean(dim=0).float()
                self.known[text] = mean / mean.norm()
        return self.known[text]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--predictions", required=True, help="folder with <image id>.json")
    parser.add_argument("--gt-caption", required=True, help="captions whose annotations have `labels`")
    parser.add_argument("--out", required=True, help="file to write")
    parser.add_argument("--model", default="bert-base-uncased", help="name or folder (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="as torch names it (default: %(default)s)")
    options = parser.parse_args()

    pairs = {}
    for labels, phrases in texts_of(options.predictions, options.gt_caption):
        for label in labels:
            pairs.setdefault(label, set()).update(phrases)
    embed = Embedder(options.model, options.device)
    cosines = {}
    for done, label in enumerate(sorted(pairs), 1):
        cosines[label] = {phrase: float(embed(label) @ embed(phrase)) for phrase in sorted(pairs[label])}
        if done % 100 == 0 or done == len(pairs):
            print(f"{done} of {len(pairs)} labels", file=sys.stderr)
    beside = f"{options.out}.part{os.getpid()}"
    try:
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(cosines, file, ensure_ascii=False, allow_nan=False, indent=1)
            file.write("\n")
        os.replace(beside, options.out)
    except (OSError, ValueError) as error:
        if os.path.exists(beside):
            os.remove(beside)
        fail(f"{options.out}: {error}")


if __name__ == "__main__":
    main()
