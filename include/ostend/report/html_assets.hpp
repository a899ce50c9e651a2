// The page's style sheet and script. No network, no framework; works with pointer, touch, keyboard and screen
// reader, on light and dark ground.
#pragma once

#include "ostend/core/config.hpp"

#include <string_view>

namespace ostend::inline v0::detail {

/// The browser itself refuses whatever the page might be made to load.
inline constexpr std::string_view page_meta = R"html(<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http%3A//www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='5.5' fill='none' stroke='%23d55e00' stroke-width='3'/%3E%3Ccircle cx='8' cy='8' r='1.5' fill='%230072b2'/%3E%3C/svg%3E">
)html";

inline constexpr std::string_view page_hint = R"html(<p class="ramp" aria-hidden="true">low<i></i>high</p>
<p class="hint">Point at a phrase or outline, or reach it with <kbd>Tab</kbd>; a click pins, <kbd>Esc</kbd> clears. )html";

inline constexpr std::string_view page_css = R"css(
:root { color-scheme: light dark; --ink: #1b2028; --soft: #5b6472; --paper: #f6f4ef; --card: #fffefb; --line: #dedad0;
  --accent: #0f5fa8; --good: #00704f; --bad: #b3470a; --serif: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceae4; --soft: #a3a9b4; --paper: #12151a; --card: #1a1e25; --line: #323844; --accent: #7ab8f0;
    --good: #52c79b; --bad: #f0935a; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; max-width: 84rem; padding: 0 clamp(.8rem, 3vw, 2.2rem) 3rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
header { padding: 1.6rem 0 .4rem; }
h1 { margin: 0; font: 600 clamp(1.4rem, 3.4vw, 2.1rem)/1.15 var(--serif); letter-spacing: -.01em; text-wrap: balance; }
h2 { margin: 0; font-size: .84rem; color: var(--soft); font-weight: 600; display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap; }
h2 small { font-weight: 400; font-size: inherit; }
.made { margin: .35rem 0 0; color: var(--soft); font-size: .92rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0 1.6rem; margin: 1.2rem 0 .4rem;
  padding: 0; list-style: none; }
.figures li { border-top: 1px solid var(--line); padding: .55rem 0 .7rem; font-size: .88rem; color: var(--soft); }
.figures strong { display: block; font: 600 1.75rem/1.25 var(--serif); color: var(--ink); font-variant-numeric: lining-nums tabular-nums; }
.figures i { display: block; height: .25rem; margin: .2rem 0 .4rem; border-radius: 1rem;
  background: linear-gradient(var(--accent) 0 0) 0 / calc(100% * var(--v)) 100% no-repeat, var(--line); }
.figures small { display: block; font-size: .8rem; }
.controls { position: sticky; top: 0; z-index: 5; display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1.4rem;
  margin: .8rem 0 1.2rem; padding: .6rem 0; background: var(--paper); border-bottom: 1px solid var(--line); font-size: .9rem; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; display: flex; align-items: center; gap: .6rem; }
legend { float: left; padding: 0; color: var(--soft); }
.choice { display: flex; border: 1px solid var(--line); border-radius: 99rem; background: var(--card); padding: .15rem; }
.choice label { position: relative; display: block; padding: .12rem .8rem; cursor: pointer; }
.choice input { appearance: none; position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; border-radius: 99rem; cursor: pointer; }
.choice input:checked { background: var(--ink); }
.choice span { position: relative; pointer-events: none; }
.choice input:checked + span { color: var(--paper); }
.ramp { display: flex; align-items: center; gap: .45rem; margin: 0; color: var(--soft); font-size: .82rem; }
.ramp i { width: 5.5rem; height: .55rem; border-radius: 1rem;
  background: linear-gradient(90deg, rgb(16 8 40), rgb(84 15 109), rgb(170 35 94), rgb(229 92 48), rgb(251 164 32), rgb(252 248 170)); }
[data-show="mask"] .ramp { visibility: hidden; }
.hint { margin: 0; color: var(--soft); font-size: .82rem; }
kbd { font: inherit; border: 1px solid var(--line); border-radius: .25rem; padding: 0 .3rem; background: var(--card); }
.scenes { display: grid; gap: 1.4rem; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); align-items: start; }
.scene { background: var(--card); border: 1px solid var(--line); border-radius: .8rem; overflow: hidden; }
.text { padding: .9rem 1.1rem 1rem; }
.single .scenes { display: block; }
.single .scene { display: grid; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); }
.single .text { padding: 1.4rem 1.8rem; }
@media (max-width: 40rem) { .controls { position: static; } }
@media (max-width: 56rem) { .single .scene { grid-template-columns: minmax(0, 1fr); } .single .text { padding: 1rem 1.1rem; } }
.scene { --tall: 30rem; }
.single .scene { --tall: max(18rem, min(76vh, 100vh - 14rem)); }
.frame { display: grid; place-items: center; background: color-mix(in srgb, var(--ink) 7%, var(--card)); }
.stage { position: relative; overflow: hidden; aspect-ratio: var(--w) / var(--h); min-height: 2.5rem; max-height: var(--tall);
  width: clamp(min(2.5rem, 100%), calc(var(--tall) * var(--w) / var(--h)), 100%); }
.stage img, .stage svg { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.stage path { fill: var(--c); fill-opacity: 0; stroke: var(--c); stroke-width: 2.5px; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.stage .layer path { fill-opacity: .5; }
[data-show="both"] .stage .layer path { fill-opacity: .12; }
.overview path { cursor: pointer; pointer-events: fill; }
.shown .overview { opacity: 0; }
.shown .dot { visibility: hidden; }
.shown .base { filter: grayscale(.8) brightness(.85); }
.dot, .peak { position: absolute; border-radius: 50%; translate: -50% -50%; pointer-events: none; }
.dot { width: .8rem; height: .8rem; background: var(--c); border: .13rem solid #fff; box-shadow: 0 0 .25rem #000a; }
.peak { width: 1.5rem; height: 1.5rem; border: .17rem solid #fff; box-shadow: 0 0 0 .11rem #111, inset 0 0 0 .11rem #111;
  background: radial-gradient(#fff 0 .09rem, #111 .1rem .16rem, transparent .17rem); }
@media (prefers-reduced-motion: no-preference) {
  .peak { animation: found .28s ease-out; }
  @keyframes found { from { scale: 2.4; opacity: 0; } }
}
.caption { margin: .5rem 0 .4rem; font: 1.16rem/1.75 var(--serif); }
.single .caption { margin: .8rem 0 1rem; font-size: clamp(1.3rem, 2.2vw, 1.75rem); line-height: 1.6; }
.tie { display: inline-block; max-width: 100%; white-space: nowrap; }
.also { margin: 0 0 .4rem; color: var(--soft); font-size: .92rem; }
.phrase { font: inherit; white-space: normal; max-width: 100%; line-height: 1.25; color: inherit; text-align: left; cursor: pointer; border: 0; border-bottom: .16rem solid var(--c);
  border-radius: .25rem .25rem 0 0; padding: 0 .18em; background: color-mix(in srgb, var(--c) 14%, transparent); }
.phrase.on { background: color-mix(in srgb, var(--c) 38%, transparent); }
.phrase[aria-pressed="true"] { box-shadow: 0 0 0 .12rem var(--c); border-radius: .25rem; }
.phrase[data-verdict="wrong"] { border-bottom-style: dashed; }
:focus-visible { outline: .16rem solid var(--ink); outline-offset: .14rem; }
.status { min-height: 3em; margin: 0 0 .5rem; color: var(--soft); font-size: .9rem; font-variant-numeric: tabular-nums; }
.status b { color: var(--ink); }
details { font-size: .88rem; }
summary { cursor: pointer; color: var(--soft); width: fit-content; }
table { border-collapse: collapse; width: 100%; margin-top: .3rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; font-weight: 400; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--soft); font-size: .8rem; }
tbody th::before { content: ""; display: inline-block; width: .6rem; height: .6rem; margin-right: .45rem; border-radius: 50%; background: var(--c); }
tr.on > * { background: color-mix(in srgb, var(--c) 14%, transparent); }
.bar::before { content: ""; display: inline-block; width: 2.6rem; height: .4rem; margin-right: .4rem; border-radius: 1rem; vertical-align: .08rem;
  background: linear-gradient(var(--c) 0 0) 0 / calc(100% * var(--v)) 100% no-repeat, var(--line); }
td[data-verdict="right"] { color: var(--good); }
td[data-verdict="wrong"] { color: var(--bad); }
.left-out { margin: .5rem 0 0; color: var(--soft); }
)css";

inline constexpr std::string_view page_script = R"js(
"use strict";
const chosen = name => document.querySelector(`input[name="${name}"]:checked`).value;
const scenes = [...document.querySelectorAll(".scene")].map(scene => {
  const all = selector => [...scene.querySelectorAll(selector)];
  const buttons = all("button.phrase"), stage = scene.querySelector(".stage"), status = scene.querySelector(".status");
  let hovered = null, focused = null, pinned = null;
  function paint() {
    const phrase = hovered ?? focused ?? pinned, show = chosen("show");
    const kinds = show === "mask" ? ["mask"] : show === "map" ? [chosen("map")] : [chosen("map"), "mask"];
    for (const e of all(".layer")) e.toggleAttribute("hidden", e.dataset.phrase !== phrase || !kinds.includes(e.dataset.kind));
    for (const e of all(".peak")) e.toggleAttribute("hidden", e.dataset.phrase !== phrase);
    for (const e of [...buttons, ...all("tr")]) e.classList.toggle("on", phrase !== null && e.dataset.phrase === phrase);
    for (const b of buttons) b.setAttribute("aria-pressed", String(b.dataset.phrase === pinned));
    stage.classList.toggle("shown", phrase !== null);
    const button = buttons.find(b => b.dataset.phrase === phrase), text = button ? `${button.textContent}: ${button.dataset.says}` : "";
    if (status.textContent === text) return;
    status.replaceChildren();
    if (button) {
      status.append(document.createElement("b"), `: ${button.dataset.says}`);
      status.firstChild.textContent = button.textContent;
    }
  }
  const pin = phrase => { pinned = pinned === phrase ? null : phrase; focused = null; if (pinned === null) hovered = null; paint(); };
  const hover = (element, phrase) => {
    element.addEventListener("pointerenter", event => { if (event.pointerType !== "touch") { hovered = phrase; paint(); } });
    element.addEventListener("pointerleave", () => { hovered = null; paint(); });
    element.addEventListener("click", () => pin(phrase));
  };
  for (const path of all(".overview path")) hover(path, path.dataset.phrase);
  buttons.forEach((button, i) => {
    const phrase = button.dataset.phrase;
    hover(button, phrase);
    button.addEventListener("focus", () => { if (button.matches(":focus-visible")) { focused = phrase; paint(); } });
    button.addEventListener("blur", () => { focused = null; paint(); });
    button.addEventListener("keydown", event => {
      const to = {ArrowRight: i + 1, ArrowDown: i + 1, ArrowLeft: i - 1, ArrowUp: i - 1, Home: 0, End: -1}[event.key];
      if (to === undefined) return;
      event.preventDefault();
      buttons[(to + buttons.length) % buttons.length].focus();
    });
  });
  return {paint, clear() { hovered = focused = pinned = null; paint(); }};
});
for (const input of document.querySelectorAll(".controls input"))
  input.addEventListener("change", () => {
    document.body.dataset.show = chosen("show");
    for (const scene of scenes) scene.paint();
  });
document.addEventListener("keydown", event => { if (event.key === "Escape") for (const scene of scenes) scene.clear(); });
for (const scene of scenes) scene.paint();
)js";

} // namespace ostend::inline v0::detail
