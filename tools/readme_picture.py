#!/usr/bin/env python3
"""Remakes docs/images/report.png, the picture of the README: a part of the report of `make demo` in headless Chromium.

  readme_picture.py [REPORT [PNG]]    defaults: build/demo/report.html, docs/images/report.png
"""
import pathlib
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

ROOT = pathlib.Path(__file__).resolve().parent.parent
report = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/demo/report.html").resolve()
picture = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "docs/images/report.png")

options = Options()
options.binary_location = "/usr/bin/chromium"
for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1180,760", "--hide-scrollbars"):
    options.add_argument(argument)
browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
try:
    browser.get(report.as_uri())
    browser.execute_script("""
        document.querySelector('input[value="both"]').click();
        const scenes = [...document.querySelectorAll('.scene')];
        scenes.forEach(scene => scene.hidden = true);
        [1, 4, 7].forEach((scene, i) => {
            scenes[scene].hidden = false;
            scenes[scene].querySelectorAll('.phrase')[i % 2].click();
        });
        const top = document.querySelector('.scenes').getBoundingClientRect().top + window.scrollY;
        window.scrollTo(0, top - 130);""")
    time.sleep(1)
    picture.parent.mkdir(parents=True, exist_ok=True)
    browser.save_screenshot(str(picture))
finally:
    browser.quit()
print(picture)
