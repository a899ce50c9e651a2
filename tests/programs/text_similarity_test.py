#!/usr/bin/env python3
"""tools/text_similarity.py with a small BERT of random weights, made here: no model is downloaded. Without the
packages torch and transformers only what is refused is tested. Usage: text_similarity_test.py FOLDER_OF_PROGRAMS"""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = sys.argv.pop(1)
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "text_similarity.py")
HAS_BERT = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))


class TextSimilarityTest(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.place = place.name
        os.mkdir(self.path("predictions"))
        self.write("captions.json", {
            "images": [{"id": "x"}, {"id": 7}],
            "annotations": [{"image_id": "x", "labels": ["a dog", "the red car"]},
                            {"image_id": "x", "labels": ["never used"]},
                            {"image_id": 7, "labels": ["grass"]}]})
        mask = {"size": [1, 4], "counts": [0, 4]}
        self.write("masks.json", {"images": [{"id": "x"}, {"id": 7}], "annotations": [
            {"id": 1, "image_id": "x", "category_id": 1, "segmentation": mask}]})
        self.write("predictions/x.json", {"result": {"caption": "", "phrases": ["dog", "a car"], "pred_masks": [mask]}})
        self.write("predictions/7.json", {"caption": "", "phrases": ["grass", "the dog " * 600], "pred_masks": []})

    def path(self, name):
        return os.path.join(self.place, name)

    def write(self, name, value):
        with open(self.path(name), "w", encoding="utf-8") as file:
            json.dump(value, file)

    def run_script(self, *options):
        command = [sys.executable, SCRIPT, "--predictions", self.path("predictions"), "--gt-caption",
                   self.path("captions.json"), "--out", self.path("similarity.json"), *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, env=dict(os.environ, HF_HUB_OFFLINE="1"))

    def refused(self, part, *options):
        done = self.run_script(*options)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(part, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertFalse(os.path.exists(self.path("similarity.json")))

    def make_model(self):
        import torch
        import transformers

        torch.manual_seed(5)
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "the", "dog", "car", "red", "grass"]
        os.mkdir(self.path("model"))
        with open(self.path("model/vocab.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(words) + "\n")
        transformers.BertTokenizerFast(self.path("model/vocab.txt")).save_pretrained(self.path("model"))
        config = transformers.BertConfig(vocab_size=len(words), hidden_size=16, num_hidden_layers=2,
                                         num_attention_heads=2, intermediate_size=32)
        model = transformers.BertModel(config).eval()
        model.save_pretrained(self.path("model"))
        return words, model

    @unittest.skipUnless(HAS_BERT, "skipped: torch and transformers are not installed")
    def test_cosines_of_means_over_all_tokens(self):
        import torch

        words, model = self.make_model()
        done = self.run_script("--model", self.path("model"))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("similarity.json"), encoding="utf-8") as file:
            got = json.load(file)

        def mean(text):
            tokens = [words.index("[CLS]"), *map(words.index, text.split())][:511] + [words.index("[SEP]")]
            with torch.no_grad():
                return model(torch.tensor([tokens])).last_hidden_state[0].double().mean(dim=0)

        self.assertEqual({label: set(mine) for label, mine in got.items()},
                         {"a dog": {"dog", "a car"}, "the red car": {"dog", "a car"},
                          "grass": {"grass", "the dog " * 600}})
        for label, mine in got.items():
            for phrase, cosine in mine.items():
                a, b = mean(label), mean(phrase)
                self.assertAlmostEqual(cosine, float(a @ b / (a.norm() * b.norm())), delta=2e-6)
        self.assertAlmostEqual(got["grass"]["grass"], 1.0, delta=1e-6)
        # The evaluation finds every pair that it asks for.
        figures = self.path("figures.json")
        evaluated = subprocess.run(
            [os.path.join(PROGRAMS, "ostend_gcg_eval"), "--predictions", self.path("predictions"), "--gt-mask",
             self.path("masks.json"), "--gt-caption", self.path("captions.json"), "--text-similarity",
             self.path("similarity.json"), "--json", figures], capture_output=True, text=True, timeout=60)
        self.assertEqual(evaluated.returncode, 0, evaluated.stderr)
        with open(figures, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["recall"] > 0, got["a dog"]["dog"] >= 0.5)

        os.remove(self.path("similarity.json"))
        os.remove(self.path("predictions/7.json"))
        done = self.run_script("--model", self.path("model"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 images have no prediction", done.stderr)

    @unittest.skipUnless(HAS_BERT, "skipped: torch and transformers are not installed")
    def test_a_model_that_is_not_there(self):
        self.refused("cannot be loaded", "--model", self.path("nowhere"))

    @unittest.skipIf(HAS_BERT, "torch and transformers are installed")
    def test_without_the_packages(self):
        self.refused("the Python packages torch and transformers are needed")

    def test_bad_files(self):
        self.write("predictions/x.json", {"caption": ""})
        self.refused("predictions/x.json: the field phrases is missing")
        self.write("captions.json", {"images": []})
        self.refused("captions.json: the field annotations is missing")
        with open(self.path("captions.json"), "w", encoding="utf-8") as file:
            file.write("{")
        self.refused("captions.json: ")


if __name__ == "__main__":
    unittest.main()
