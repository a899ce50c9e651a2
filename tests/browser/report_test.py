#!/usr/bin/env python3
"""The report in headless Chromium: pointer, touch, keyboard, screen reader, narrow windows, and no network.
Usage: report_test.py FOLDER_OF_PROGRAMS [--screenshots FOLDER] [unittest arguments]
Without Chromium the test is skipped (exit status 77), but fails where the environment says CI."""
import json
import os
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "programs"))
SCREENSHOTS = None
if "--screenshots" in sys.argv:
    at = sys.argv.index("--screenshots")
    SCREENSHOTS = Path(sys.argv[at + 1])
    del sys.argv[at:at + 2]

from programs import MODEL, SCENES, decode_mask, run  # noqa: E402


def missing():
    """What the test needs and does not find."""
    try:
        import selenium  # noqa: F401
    except ImportError:
        yield "python3-selenium"
    if not shutil.which("chromium"):
        yield "chromium"
    if not shutil.which("chromedriver"):
        yield "chromium-driver"


if list(missing()):
    print(f"report_test: not installed: {', '.join(missing())} (tools/install_deps.sh test)", file=sys.stderr)
    sys.exit(1 if os.environ.get("CI") else 77)

from selenium import webdriver  # noqa: E402
from selenium.webdriver import ActionChains  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402


def start_chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
                     "--host-resolver-rules=MAP * ~NOTFOUND"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


BROWSER = None


def setUpModule():
    global BROWSER
    BROWSER = start_chromium()
    unittest.addModuleCleanup(BROWSER.quit)


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="ostend-report-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.browser = BROWSER

    @classmethod
    def ground(cls, name, *arguments, image=SCENES / "scene_0000.png"):
        """A page of one image: its file and grounding.json."""
        out = cls.folder / name
        done = run("ostend_ground", "--model", MODEL, "--image", image, "--out", out, *arguments)
        assert done.returncode == 0, done.stderr
        return out / "report.html", json.loads((out / "grounding.json").read_text(encoding="utf-8"))

    @classmethod
    def evaluate(cls, count):
        scenes = json.loads((SCENES / "scenes.json").read_text(encoding="utf-8"))
        folder = cls.folder / "scenes"
        folder.mkdir()
        picked = scenes["scenes"][:count - 2] + [scenes["scenes"][31], scenes["scenes"][34]]  # 3:2 and 2:3
        for scene in picked:
            shutil.copy(SCENES / scene["file"], folder)
        (folder / "scenes.json").write_text(json.dumps({"scenes": picked}), encoding="utf-8")
        done = run("ostend_evaluate", "--model", MODEL, "--scenes", folder, "--report", cls.folder / "many")
        assert done.returncode == 0, done.stderr
        return cls.folder / "many" / "report.html"

    def open(self, page, width=1280, height=900, scheme="light"):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}]})
        self.browser.get_log("performance")
        self.browser.get_log("browser")
        self.browser.get("about:blank")  # the pointer leaves the page before
        self.browser.get(page.as_uri())
        self.point_nowhere()

    def tearDown(self):
        self.assertEqual(self.browser.get_log("browser"), [], "the console has messages")
        asked = set()
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.add(message["params"]["request"]["url"])
        outside = [url for url in asked if not url.startswith(("data:", "about:", self.folder.as_uri()))]
        self.assertEqual(outside, [], "the page asked for something")
        pages = [url for url in asked if url.startswith("file:")]
        self.assertLessEqual(len(pages), 1, "more files than the page itself")

    # What the page shows, read from the rendered page and not from its attributes.
    def all(self, selector, within=None):
        return (within or self.browser).find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector, within=None):
        found = self.all(selector, within)
        self.assertEqual(len(found), 1, selector)
        return found[0]

    def shown(self, selector, within=None):
        """The elements that have a box and are not invisible."""
        return self.browser.execute_script("""
            return [...(arguments[1] ?? document).querySelectorAll(arguments[0])].filter(e =>
              e.getClientRects().length > 0 && getComputedStyle(e).visibility === 'visible');""", selector, within)

    def layers(self, within=None):
        return sorted(map(tuple, self.browser.execute_script(
            "return arguments[0].map(e => [e.dataset.phrase, e.dataset.kind])", self.shown(".layer", within))))

    def peaks(self, within=None):
        return self.browser.execute_script("return arguments[0].map(e => e.dataset.phrase)",
                                           self.shown(".peak", within))

    def status(self, within=None):
        return self.one(".status", within).text

    def buttons(self, within=None):
        return self.all("button.phrase", within)

    def point(self, element):
        ActionChains(self.browser, duration=0).move_to_element(element).perform()

    def point_nowhere(self):
        ActionChains(self.browser, duration=0).move_to_element(self.one("h1")).perform()

    def press(self, *keys):
        ActionChains(self.browser, duration=0).send_keys(*keys).perform()

    def choose(self, value):
        self.one(f"input[value={value}]").click()

    def focused(self):
        return self.browser.switch_to.active_element

    def rectangle(self, element):
        return self.browser.execute_script(
            "const r = arguments[0].getBoundingClientRect(); return [r.left, r.top, r.width, r.height];", element)

    def picture(self, name):
        if SCREENSHOTS:
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            self.browser.save_screenshot(str(SCREENSHOTS / f"{name}.png"))


class OneImage(Report):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page, cls.found = cls.ground("one")
        cls.phrases = cls.found["phrases"]

    def setUp(self):
        self.open(self.page)

    def expect(self, phrase, kinds=("normalised",), pinned=None):
        """Exactly this phrase's layers and peak are shown, and said; None: what the page shows at rest."""
        if phrase is None:
            self.assertEqual((self.layers(), self.peaks(), self.status()), ([], [], ""))
            self.assertEqual(len(self.shown(".dot")), len(self.phrases))
        else:
            p = self.phrases[phrase]
            self.assertEqual(self.layers(), sorted((str(phrase), kind) for kind in kinds))
            self.assertEqual(self.peaks(), [str(phrase)])
            self.assertEqual(self.status(), f"{p['text']}: peak at x {p['peak']['x']}, y {p['peak']['y']}, confidence "
                                            f"{p['confidence']:.2f}, mask of {decode_mask(p['mask']).sum()} pixels")
            self.assertEqual(self.shown(".dot"), [])
        self.assertEqual(self.browser.execute_script("return arguments[0].map(b => b.ariaPressed)", self.buttons()),
                         ["true" if i == pinned else "false" for i in range(len(self.phrases))])

    def test_at_rest_the_page_shows_all_peaks_and_no_map(self):
        self.expect(None)
        self.assertEqual([b.text for b in self.buttons()], [p["text"] for p in self.phrases])
        self.assertEqual(self.one(".caption").text, self.found["caption"])
        image = self.one("img.base")
        self.assertEqual(self.browser.execute_script("return [arguments[0].naturalWidth, arguments[0].naturalHeight]",
                                                     image), [144, 144])
        self.picture("one-light")

    def test_pointing_shows_exactly_one_phrase(self):
        for i, button in enumerate(self.buttons()):
            self.point(button)
            self.expect(i)
        self.picture("one-map")
        self.point_nowhere()
        self.expect(None)

    def test_the_ring_lies_on_the_peak(self):
        for width in (1280, 700, 375):
            self.open(self.page, width)
            left, top, shown_width, shown_height = self.rectangle(self.one("img.base"))
            for i, phrase in enumerate(self.phrases):
                self.point(self.buttons()[i])
                ring_left, ring_top, ring_width, ring_height = self.rectangle(self.shown(".peak")[0])
                scale = shown_width / self.found["size"]["width"]
                left, top, shown_width, shown_height = self.rectangle(self.one("img.base"))
                x = left + (phrase["peak"]["x"] + 0.5) * scale
                y = top + (phrase["peak"]["y"] + 0.5) * shown_height / self.found["size"]["height"]
                self.assertLess(abs(ring_left + ring_width / 2 - x), max(1.0, scale / 2))
                self.assertLess(abs(ring_top + ring_height / 2 - y), max(1.0, scale / 2))

    def test_the_map_is_hottest_at_the_peak_and_the_mask_covers_its_pixels(self):
        brightest = """
            const image = arguments[0], canvas = document.createElement('canvas');
            canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
            const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
            const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
            let best = 3; for (let i = 3; i < data.length; i += 4) if (data[i] > data[best]) best = i;
            const n = (best - 3) / 4; return [n % canvas.width, Math.floor(n / canvas.width), canvas.width];"""
        inside = """
            const svg = arguments[0], path = svg.querySelector('path'), mask = [];
            const size = svg.viewBox.baseVal;
            for (let y = 0; y < size.height; ++y) for (let x = 0; x < size.width; ++x)
              if (path.isPointInFill(new DOMPoint(x + .5, y + .5))) mask.push(y * size.width + x);
            return mask;"""
        self.choose("both")
        for i, phrase in enumerate(self.phrases):
            self.point(self.buttons()[i])
            x, y, width = self.browser.execute_script(brightest, self.shown("img.layer")[0])
            self.assertEqual(width, 8 * 12)  # pixels a cell of the grid
            for found, axis in ((x, "x"), (y, "y")):  # several pixels may share the highest opacity
                self.assertLessEqual(abs((found + 0.5) * 144 / width - phrase["peak"][axis] - 0.5), 6)
            svg = self.one(f"svg.layer[data-phrase='{i}']")
            ys, xs = decode_mask(phrase["mask"]).nonzero()
            self.assertEqual(self.browser.execute_script(inside, svg), (ys * 144 + xs).tolist())

    def test_a_click_pins_and_a_second_one_unpins(self):
        buttons = self.buttons()
        buttons[1].click()
        self.expect(1, pinned=1)
        self.point_nowhere()
        self.expect(1, pinned=1)
        self.point(buttons[2])
        self.expect(2, pinned=1)
        self.point_nowhere()
        self.expect(1, pinned=1)
        buttons[3].click()
        self.expect(3, pinned=3)
        buttons[3].click()
        self.expect(None)
        self.point_nowhere()
        self.expect(None)

    def test_escape_unpins_wherever_the_focus_is(self):
        for elsewhere in (False, True):
            self.buttons()[2].click()
            self.point_nowhere()
            if elsewhere:
                self.browser.execute_script("document.activeElement.blur()")
            self.expect(2, pinned=2)
            self.press(Keys.ESCAPE)
            self.expect(None)

    def test_pointing_at_the_image(self):
        """The pixels of a mask show its phrase, a click pins it."""
        left, top, width, height = self.rectangle(self.one("img.base"))
        for i, phrase in enumerate(self.phrases):
            mask = decode_mask(phrase["mask"])
            others = sum(decode_mask(p["mask"]) for p in self.phrases) - mask
            free = list(zip(*((mask == 1) & (others == 0)).nonzero()))
            if not free:
                continue
            y, x = free[len(free) // 2]
            move = ActionChains(self.browser, duration=0)
            move.w3c_actions.pointer_action.move_to_location(round(left + (x + 0.5) * width / 144),
                                                             round(top + (y + 0.5) * height / 144))
            move.perform()
            self.expect(i)
            move.click().perform()
            self.expect(i, pinned=i)
            self.press(Keys.ESCAPE)
        self.point_nowhere()
        self.expect(None)

    def test_touch(self):
        def tap(element):
            left, top, width, height = self.rectangle(element)
            at = [{"x": left + width / 2, "y": top + height / 2}]
            self.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at})
            self.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
            time.sleep(0.1)
        self.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        try:
            buttons = self.buttons()
            tap(buttons[0])
            self.expect(0, pinned=0)
            tap(buttons[3])
            self.expect(3, pinned=3)
            tap(buttons[3])
            self.expect(None)
        finally:
            self.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})

    def test_radios_switch_the_layer(self):
        self.buttons()[0].click()
        self.point_nowhere()
        for value, kinds in (("raw", ["raw"]), ("mask", ["mask"]), ("both", ["mask", "raw"]),
                             ("normalised", ["mask", "normalised"]), ("map", ["normalised"])):
            self.choose(value)
            self.expect(0, kinds, pinned=0)
            self.picture(f"one-{value}")
        self.press(Keys.ESCAPE)
        self.choose("mask")
        self.expect(None)
        self.point(self.buttons()[2])
        self.expect(2, ["mask"])

    def test_keyboard_only(self):
        self.browser.execute_script("document.activeElement.blur()")
        order = []
        for _ in range(2 + len(self.phrases) + 1):
            self.press(Keys.TAB)
            element = self.focused()
            order.append(element.get_attribute("value") or element.text)
            outline = element.value_of_css_property("outline-style")
            self.assertNotEqual(outline, "none", f"no focus ring on {order[-1]}")
        self.assertEqual(order, ["map", "normalised"] + [p["text"] for p in self.phrases] +
                         ["All phrases as a table"])
        self.expect(None)
        back = ActionChains(self.browser, duration=0)
        back.key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
        last = len(self.phrases) - 1
        self.expect(last)
        for key, phrase in ((Keys.ARROW_LEFT, last - 1), (Keys.ARROW_UP, last - 2), (Keys.ARROW_RIGHT, last - 1),
                            (Keys.ARROW_DOWN, last), (Keys.ARROW_RIGHT, 0), (Keys.ARROW_LEFT, last), (Keys.HOME, 0),
                            (Keys.END, last)):
            self.press(key)
            self.assertEqual(self.focused().text, self.phrases[phrase]["text"])
            self.expect(phrase)
        self.press(Keys.ENTER)
        self.expect(last, pinned=last)
        self.press(Keys.HOME)
        self.expect(0, pinned=last)
        self.press(Keys.SPACE)
        self.expect(0, pinned=0)
        self.press(Keys.ESCAPE)
        self.expect(None)
        self.press(Keys.ARROW_RIGHT)
        self.expect(1)
        self.press(Keys.SPACE, Keys.SPACE)
        self.expect(None)
        # The radios by their arrows.
        self.press(Keys.ARROW_LEFT, Keys.ENTER)
        self.browser.execute_script("document.querySelector('input[value=map]').focus()")
        self.expect(0, pinned=0)
        self.press(Keys.ARROW_RIGHT)
        self.expect(0, ["mask"], pinned=0)
        self.press(Keys.ARROW_RIGHT)
        self.expect(0, ["mask", "normalised"], pinned=0)

    def test_what_a_screen_reader_finds(self):
        self.buttons()[1].click()
        self.browser.execute_cdp_cmd("Accessibility.enable", {})
        nodes = [n for n in self.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
                 if not n["ignored"]]

        def named(role):
            return [n.get("name", {}).get("value", "") for n in nodes if n["role"]["value"] == role]

        def property_of(node, name):
            return next((p["value"]["value"] for p in node.get("properties", []) if p["name"] == name), None)

        self.assertEqual(named("button"), [p["text"] for p in self.phrases])
        pressed = [property_of(n, "pressed") for n in nodes if n["role"]["value"] == "button"]
        self.assertEqual(pressed, ["true" if i == 1 else "false" for i in range(len(self.phrases))])
        self.assertEqual(named("radio"), ["map", "mask", "both", "normalised", "raw"])
        self.assertEqual(named("group")[:2], ["Show", "Map"])
        self.assertEqual(named("heading"), ["Which pixels does each phrase mean?", str(SCENES / "scene_0000.png")])
        self.assertEqual(named("image"), [f"The image, described as: {self.found['caption']}"])
        self.assertEqual(len(named("main")), 1)
        status = [n for n in nodes if n["role"]["value"] == "status"]
        self.assertEqual(len(status), 1)
        self.assertEqual(property_of(status[0], "live"), "polite")
        self.assertEqual(named("rowheader"), [p["text"] for p in self.phrases])
        self.assertEqual(self.browser.execute_script("return document.documentElement.lang"), "en")
        self.browser.execute_cdp_cmd("Accessibility.disable", {})

    def test_the_table_repeats_the_numbers(self):
        rows = self.all("tbody tr")
        self.assertEqual(len(rows), len(self.phrases))
        for row, p in zip(rows, self.phrases):
            self.assertEqual([c.text for c in self.all("th, td", row)],
                             [p["text"], f"{p['peak']['x']}, {p['peak']['y']}", f"{p['confidence']:.2f}",
                              str(decode_mask(p["mask"]).sum())])

    def test_text_can_be_read_on_light_and_dark_ground(self):
        contrast = """
            const channel = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
            const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
            const over = (ground, colour) => {  // any CSS colour, painted
              canvas.fillStyle = ground; canvas.fillRect(0, 0, 1, 1);
              canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
              return `rgb(${[...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)})`; };
            const light = colour => {
              const [r, g, b] = colour.match(/\\d+/g).map(Number).map(channel);
              return .2126 * r + .7152 * g + .0722 * b; };
            const results = [];
            for (const e of document.querySelectorAll('h1, h2, p, button, summary, th, td, label, legend, kbd, li small')) {
              if (!e.textContent.trim() || !e.checkVisibility()) continue;
              const around = []; for (let a = e; a; a = a.parentElement) around.unshift(a);
              let ground = 'white';
              for (const a of around) ground = over(ground, getComputedStyle(a).backgroundColor);
              const text = e.querySelector('input:checked + span') ? null : over(ground, getComputedStyle(e).color);
              if (!text) continue;
              const [a, b] = [light(ground), light(text)].sort((x, y) => x - y);
              results.push([(b + .05) / (a + .05), e.tagName + ' ' + e.textContent.slice(0, 40)]);
            }
            return results;"""
        grounds = set()
        for scheme in ("light", "dark"):
            self.open(self.page, scheme=scheme)
            self.buttons()[0].click()
            results = self.browser.execute_script(contrast)
            self.assertGreater(len(results), 20)
            for ratio, what in results:
                self.assertGreaterEqual(ratio, 4.5, f"{scheme}: {what}")
            grounds.add(self.one("body").value_of_css_property("background-color"))
            self.picture(f"one-{scheme}-pinned")
        self.assertEqual(len(grounds), 2)

    def test_a_narrow_window_has_no_sideways_scroll(self):
        for width in (320, 375, 560, 900):
            self.open(self.page, width, 800)
            self.buttons()[2].click()
            self.assertLessEqual(self.browser.execute_script("return document.documentElement.scrollWidth"), width)
            for element in self.shown("button, input, img.base, table, .status"):
                left, _, extent, _ = self.rectangle(element)
                self.assertTrue(left >= 0 and left + extent <= width + 0.5)
            if width == 375:
                self.picture("one-narrow")


class OddPages(Report):
    def test_phrases_inside_each_other_can_all_be_reached(self):
        page, found = self.ground("nested", "--phrases", "a drop of water and a lion", "water", "a lion", "lion", "a train")
        self.open(page)
        self.assertEqual(self.one(".caption").text, found["caption"])
        buttons = {b.get_attribute("data-phrase"): b for b in self.buttons()}
        self.assertEqual(len(buttons), 5)
        for i, phrase in enumerate(found["phrases"]):
            self.point(buttons[str(i)])
            self.assertEqual((self.layers(), self.peaks()), ([(str(i), "normalised")], [str(i)]))
            self.assertTrue(self.status().startswith(phrase["text"] + ": peak at"))

    def test_text_that_looks_like_markup(self):
        text = "a <b>dog</b> <script>document.title='broken'</script> and a \"lion\" & <img src=x onerror=alert(1)> cat"
        page, found = self.ground("markup", "--text", text)
        self.open(page)
        self.assertEqual(found["caption"], text)
        self.assertEqual(self.one(".caption").text, text)
        self.assertEqual(self.browser.title, "Which pixels does each phrase mean?")
        self.assertEqual(len(self.all("script")), 1)
        self.assertEqual(self.all("b"), [])

    def test_long_words_do_not_widen_the_page(self):
        page, _ = self.ground("long", "--text", "a " + "pneumono" * 20 + " and a dog", "--phrases",
                              "a " + "pneumono" * 20)
        self.open(page, 375)
        self.buttons()[0].click()
        self.assertLessEqual(self.browser.execute_script("return document.documentElement.scrollWidth"), 375)

    def test_the_thinnest_images(self):
        for name, size in (("tall", b"1 1500"), ("flat", b"1500 1")):
            image = self.folder / f"{name}.ppm"
            image.write_bytes(b"P6 " + size + b" 255\n" + bytes(range(250)) * 18)
            page, found = self.ground(name, "--text", "a dog", image=image)
            self.open(page)
            left, top, width, height = self.rectangle(self.one("img.base"))
            self.assertGreater(min(width, height), 20)  # stretched rather than lost
            self.assertLess(height, 900)
            self.point(self.buttons()[0])
            ring_left, ring_top, ring_width, ring_height = self.rectangle(self.shown(".peak")[0])
            peak = found["phrases"][0]["peak"]
            x = left + (peak["x"] + 0.5) * width / found["size"]["width"]
            y = top + (peak["y"] + 0.5) * height / found["size"]["height"]
            self.assertLess(abs(ring_left + ring_width / 2 - x), 1)
            self.assertLess(abs(ring_top + ring_height / 2 - y), 1)
            self.picture(f"odd-{name}")

    def test_no_phrase_at_all(self):
        page, _ = self.ground("none", "--text", "and of the")
        self.open(page)
        self.assertEqual(self.buttons(), [])
        self.assertEqual(self.one(".caption").text, "and of the")
        self.assertIn("No phrase was grounded.", [e.text for e in self.shown(".left-out")])


class ManyImages(Report):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.page = cls.evaluate(8)

    def test_scenes_do_not_disturb_each_other(self):
        self.open(self.page, height=1400)
        scenes = self.all(".scene")
        self.assertEqual(len(scenes), 8)
        first, second = self.buttons(scenes[0])[0], self.buttons(scenes[1])[1]
        first.click()
        second.click()
        self.point_nowhere()
        self.assertEqual(self.layers(), [("0", "normalised"), ("1", "normalised")])
        self.assertEqual([self.peaks(s) for s in scenes[:3]], [["0"], ["1"], []])
        self.assertTrue(self.status(scenes[0]).startswith(first.text + ": "))
        self.assertTrue(self.status(scenes[1]).startswith(second.text + ": "))
        self.assertEqual([self.status(s) for s in scenes[2:]], [""] * 6)
        self.choose("mask")
        self.assertEqual(self.layers(), [("0", "mask"), ("1", "mask")])
        self.picture("many-light")
        self.press(Keys.ESCAPE)
        self.assertEqual((self.layers(), self.peaks()), ([], []))
        # Arrows stay within their scene.
        self.buttons(scenes[2])[-1].click()
        self.press(Keys.ARROW_RIGHT)
        self.assertEqual(self.focused(), self.buttons(scenes[2])[0])

    def test_figures_and_verdicts(self):
        self.open(self.page, height=1400, scheme="dark")
        self.assertEqual(len(self.shown(".figures li")), 6)
        for figure in self.all(".figures strong"):
            self.assertRegex(figure.text, r"^\d+\.\d %$")
        verdicts = [b.get_attribute("data-verdict") for b in self.buttons()]
        self.assertTrue({"right", "wrong"} >= set(verdicts) and "right" in verdicts)
        for scene in self.all(".scene"):
            of_scene = [b.get_attribute("data-verdict") for b in self.buttons(scene)]
            self.assertTrue(self.one("h2", scene).text.endswith(
                f"{of_scene.count('right')} of {len(of_scene)} points right"))
        self.picture("many-dark")

    def test_images_keep_their_proportions(self):
        self.open(self.page, height=1400)
        for scene in self.all(".scene"):
            image = self.one("img.base", scene)
            natural = self.browser.execute_script(
                "return arguments[0].naturalWidth / arguments[0].naturalHeight", image)
            _, _, width, height = self.rectangle(image)
            self.assertAlmostEqual(width / height, natural, delta=0.01)

    def test_a_narrow_window_has_no_sideways_scroll(self):
        for width in (320, 375, 768):
            self.open(self.page, width, 900)
            self.buttons()[0].click()
            self.assertLessEqual(self.browser.execute_script("return document.documentElement.scrollWidth"), width)
            if width == 375:
                self.picture("many-narrow")


if __name__ == "__main__":
    unittest.main()
