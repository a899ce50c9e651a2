// The page's style sheet and script. No network, no framework; works with pointer, keyboard and screen
// reader.
#pragma once

#include "ostend/core/config.hpp"

#include <string_view>

namespace ostend::inline v0::detail {

inline constexpr std::string_view page_css = R"css(
:root { color-scheme: light dark; --ink: #1d2330; --soft: #5a6374; --paper: #fbfaf7; --card: #ffffff; --line: #d9dce3; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaf0; --soft: #a4adbd; --paper: #14171d; --card: #1c2028; --line: #343a46; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", sans-serif; }
main, header { max-width: 76rem; margin: 0 auto; padding: 1rem 1.5rem; }
h1 { margin: .4rem 0 0; font-size: 1.5rem; }
h2 { margin: 0 0 .4rem; font-size: .95rem; color: var(--soft); font-weight: 600; }
.made { margin: .1rem 0 .8rem; color: var(--soft); }
.figures { display: flex; flex-wrap: wrap; gap: .6rem; margin: 0; padding: 0; list-style: none; }
.figures li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .8rem; min-width: 10rem; }
.figures strong { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.figures small { color: var(--soft); display: block; max-width: 17rem; }
.controls { position: sticky; top: 0; z-index: 5; background: var(--paper); border-bottom: 1px solid var(--line);
  display: flex; flex-wrap: wrap; gap: 1.5rem; padding: .5rem 1.5rem; max-width: 76rem; margin: 0 auto; }
fieldset { border: 0; margin: 0; padding: 0; display: flex; gap: .8rem; align-items: center; }
legend { float: left; margin-right: .8rem; color: var(--soft); }
.scenes { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
.scenes.single { grid-template-columns: minmax(0, 44rem); }
.scene { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem; }
.stage { position: relative; line-height: 0; border-radius: .3rem; overflow: hidden; background: #888; }
.stage img { width: 100%; display: block; image-rendering: auto; }
.stage .layer { position: absolute; inset: 0; height: 100%; }
.stage .layer[hidden], .peak[hidden] { display: none; }
.stage.dim > img.base { filter: saturate(.55) brightness(.85); }
.peak { position: absolute; width: 1.1rem; height: 1.1rem; margin: -.55rem 0 0 -.55rem; border-radius: 50%;
  border: .17rem solid #fff; box-shadow: 0 0 0 .12rem #000, inset 0 0 0 .1rem #000; }
.caption { font-size: 1.05rem; margin: .7rem 0 .3rem; }
.phrase { font: inherit; color: inherit; background: color-mix(in srgb, var(--c) 18%, transparent); cursor: pointer;
  border: 0; border-bottom: .18rem solid var(--c); border-radius: .25rem .25rem 0 0; padding: 0 .2rem; }
.phrase:hover, .phrase[aria-pressed="true"] { background: color-mix(in srgb, var(--c) 45%, transparent); }
.phrase:focus-visible, input:focus-visible, summary:focus-visible { outline: .17rem solid var(--ink); outline-offset: .1rem; }
.status { min-height: 3em; margin: 0; color: var(--soft); font-size: .92rem; }
details { font-size: .9rem; } summary { cursor: pointer; color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .15rem .4rem; border-bottom: 1px solid var(--line); }
)css";

inline constexpr std::string_view page_script = R"js(
"use strict";
const chosen = name => document.querySelector(`input[name="${name}"]:checked`).value;
function show(scene, phrase) {
  const rest = "Point at a phrase, or reach it with Tab, to see where the model looked.";
  for (const layer of scene.querySelectorAll(".layer")) {
    const wanted = chosen("show") === "mask" ? "mask" : chosen("map");
    layer.hidden = !(phrase !== null && layer.dataset.phrase === phrase && layer.dataset.kind === wanted);
  }
  for (const peak of scene.querySelectorAll(".peak")) peak.hidden = peak.dataset.phrase !== phrase;
  scene.querySelector(".stage").classList.toggle("dim", phrase !== null);
  const button = scene.querySelector(`.phrase[data-phrase="${phrase}"]`);
  const text = button ? button.dataset.says : rest;
  const status = scene.querySelector(".status");
  if (status.textContent !== text) status.textContent = text;
}
for (const scene of document.querySelectorAll(".scene")) {
  let pinned = null;
  const buttons = [...scene.querySelectorAll(".phrase")];
  const pin = phrase => {
    pinned = phrase;
    for (const b of buttons) b.setAttribute("aria-pressed", String(b.dataset.phrase === phrase));
    show(scene, phrase);
  };
  buttons.forEach((button, i) => {
    const phrase = button.dataset.phrase;
    button.addEventListener("mouseenter", () => show(scene, phrase));
    button.addEventListener("mouseleave", () => show(scene, pinned));
    button.addEventListener("focus", () => show(scene, phrase));
    button.addEventListener("blur", () => show(scene, pinned));
    button.addEventListener("click", () => pin(pinned === phrase ? null : phrase));
    button.addEventListener("keydown", event => {
      const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
      if (step) { event.preventDefault(); buttons[(i + step + buttons.length) % buttons.length].focus(); }
      if (event.key === "Escape") pin(null);
    });
  });
  scene.repaint = () => {
    const focused = buttons.find(b => b === document.activeElement);
    show(scene, focused ? focused.dataset.phrase : pinned);
  };
  show(scene, null);
}
for (const input of document.querySelectorAll(".controls input"))
  input.addEventListener("change", () => document.querySelectorAll(".scene").forEach(s => s.repaint()));
)js";

} // namespace ostend::inline v0::detail
