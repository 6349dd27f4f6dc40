/**
 * The page's style sheet: a book's measure for text, wider for figures; light and dark; screen, phone and paper.
 */
import { type Markup, trusted } from './html.ts';

const LIGHT = `
  --paper: #fcfbf8; --card: #f4f2ec; --ink: #22262b; --quiet: #646a72; --rule: #dcd8ce;
  --accent: #35566e; --saliency: #0072b2; --class: #c94f00; --rate: #b9bdc3;
  --good: #23724a; --bad: #a8321f;`;

const DARK = `
  --paper: #15181c; --card: #1d2126; --ink: #dfe2e5; --quiet: #9aa2ab; --rule: #343a41;
  --accent: #9cc3dd; --saliency: #56b4e9; --class: #ff9650; --rate: #59616a;
  --good: #7fcfa4; --bad: #ff9d8a;`;

const CSS = `
:root { color-scheme: light dark; ${LIGHT}
  --serif: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, "Noto Serif", serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (prefers-color-scheme: dark) { :root { ${DARK} } }

* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.6 var(--serif); overflow-wrap: break-word; }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 clamp(1rem, 4vw, 2.5rem); }
header { padding-top: clamp(2rem, 6vw, 4rem); }
main > section { margin-top: clamp(2.5rem, 5vw, 4rem); }
p, ul, .note, figcaption, header > * { max-width: 44rem; }
h1, h2, h3 { font-weight: 600; line-height: 1.25; text-wrap: balance; }
h1 { font-size: clamp(1.7rem, 4.5vw, 2.4rem); margin: 0 0 .3rem; letter-spacing: -.01em; }
h2 { font-size: 1.4rem; margin: 0 0 .8rem; padding-top: .8rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.08rem; margin: 1.8rem 0 .5rem; }
h4, h5, .keys, .tile, .example .source, table, dl, .note, figcaption, label, .missing, details > summary, header p, nav, footer { font-family: var(--sans); }
h4, h5 { font-weight: 600; font-size: .875rem; margin: 0; }
p { margin: 0 0 1rem; }
small, .source { font-weight: 400; color: var(--quiet); }
.source { font-size: .85em; }
a { color: var(--accent); text-underline-offset: .15em; }
header p { color: var(--quiet); font-size: .875rem; margin: 0; }
nav { margin-top: 1rem; font-size: .875rem; display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; }
.lead { font-size: 1.125rem; }
.verdicts { margin: 0; padding-left: 1.1rem; }
.verdicts li { margin-bottom: .5rem; }
.note, figcaption { font-size: .875rem; line-height: 1.5; color: var(--quiet); margin: .9rem 0 0; }
.missing { color: var(--quiet); font-size: .875rem; font-style: italic; margin: 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
code, pre { font-family: var(--mono); font-size: .8125rem; }
pre { background: var(--card); padding: .9rem 1rem; border-radius: 6px; overflow-x: auto; line-height: 1.45; margin: .5rem 0 1rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; line-height: 1.35; font-variant-numeric: tabular-nums; }
th { font-weight: 600; text-align: left; }
th small, td small { display: block; font-size: .78rem; }
.results { width: 100%; }
.results th, .results td { padding: .5rem .8rem; border-bottom: 1px solid var(--rule); vertical-align: baseline; }
.results td, .results thead th { text-align: right; white-space: nowrap; }
.results thead th { vertical-align: bottom; }
.results .groups th { font-weight: 400; font-size: .8rem; color: var(--quiet); text-align: center; border-bottom: 1px solid var(--rule); padding-bottom: .3rem; }
.results .groups td { border: 0; }
.results thead tr:last-child .baseline { white-space: normal; width: 1%; min-width: 6.2rem; }
.results tbody th { position: sticky; left: 0; background: var(--paper); min-width: 9rem; }
.results .baseline, .results .paper { color: var(--quiet); }
.results .paper { background: var(--card); }
.results th.baseline, .results th.paper { font-weight: 500; }
.spread { color: var(--quiet); font-size: .8rem; }
.arrow { color: var(--quiet); font-weight: 400; }
.results.runs { width: auto; font-size: .8125rem; }
.results.runs th, .results.runs td { padding: .35rem .6rem; }

.curves { margin: 0 0 2.5rem; }
sub { font-size: .72em; line-height: 0; }
.curves h4 { margin: 1.4rem 0 .5rem; }
.keys { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; font-size: .8125rem; color: var(--quiet); max-width: none; margin: 0; }
.key { white-space: nowrap; }
.key svg { vertical-align: .02em; fill: none; stroke-width: 2; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 1rem 1.5rem; }
.panel { max-width: 26rem; min-width: 0; }
.alone .rows { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 26rem)); gap: 0 2.5rem; }
.panel h5 { color: var(--quiet); font-weight: 500; }
.panel .missing { border: 1px dashed var(--rule); border-radius: 6px; padding: 3rem 1rem; text-align: center; margin-top: .5rem; }
.plot { display: block; width: 100%; height: auto; overflow: visible; font-family: var(--sans); }
.plot text { white-space: pre; }

#overlays > label { font-size: .875rem; margin: 0 1.6rem .5rem .2rem; display: inline-block; cursor: pointer; }
#overlays > input { accent-color: var(--accent); }
.colour-bar { color: var(--quiet); font-size: .78rem; margin-left: .4rem; white-space: nowrap; }
.colour-bar img { height: .6rem; width: 5rem; vertical-align: -.05rem; border-radius: 2px; }
#colours-jet:checked ~ .examples .safe, #colours-safe:checked ~ .examples .jet { display: none; }
.example { margin-top: 1.4rem; }
.example h3 { margin: 0 0 .6rem; }
.example .source { margin-left: .4rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(46%, 11.5rem), 1fr)); gap: 1rem; align-items: start; }
.tile { margin: 0; font-size: .8125rem; min-width: 0; }
.tile h4 { font-size: .8125rem; font-weight: 500; color: var(--quiet); margin-bottom: .3rem; }
.tile img { display: block; width: 100%; height: auto; border-radius: 4px; background: #000; }
.tile figcaption { margin-top: .5rem; font-size: .8125rem; color: inherit; }
.scores { display: grid; grid-template-columns: repeat(3, auto); justify-content: space-between; margin: 0 0 .5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.scores dt { font-size: .72rem; }
.scores dt, .classes { color: var(--quiet); }
dd { margin: 0; }
.classes { list-style: none; margin: 0; padding: 0; }
.classes li { display: grid; grid-template-columns: 1fr auto; column-gap: .5rem; margin-bottom: .25rem; font-variant-numeric: tabular-nums; }
.classes .said { color: var(--ink); font-weight: 600; }
.classes .truth { color: var(--accent); }
.classes .bar { grid-column: 1 / -1; height: 3px; border-radius: 2px; background: linear-gradient(to right, currentColor calc(var(--share) * 100%), var(--rule) 0); }

.matrices { display: flex; flex-wrap: wrap; gap: 2rem 1.5rem; }
.confusion { font-size: .84rem; width: min-content; overflow-wrap: normal; }
.confusion caption { text-align: left; font-weight: 600; padding-bottom: .4rem; }
.confusion caption small { display: inline; margin-left: .4em; }
.confusion th, .confusion td { padding: .4rem; }
.confusion th:first-child { padding-left: 0; }
.confusion thead th { text-align: center; font-weight: 500; line-height: 1.2; vertical-align: bottom; }
.confusion th.axis { font-weight: 400; color: var(--quiet); font-size: .8rem; }
.confusion thead th.axis:first-child { text-align: left; }
.confusion caption, .confusion tbody th { white-space: nowrap; }
.confusion tbody th { font-weight: 500; }
.confusion tbody td { text-align: center; min-width: 3.8rem; border: 2px solid var(--paper); background: color-mix(in srgb, var(--saliency) calc(var(--share) * 45%), var(--card)); }
.confusion tbody td small { color: inherit; opacity: .8; }
.confusion tbody td.right { outline: 1.5px solid var(--ink); outline-offset: -3px; }

.facts { display: grid; gap: .3rem 1.5rem; margin: 0 0 1.2rem; font-size: .875rem; max-width: 56rem; }
.facts div { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: 1rem; }
.facts dt { color: var(--quiet); }
.facts dd { overflow-wrap: anywhere; }
details { margin: .8rem 0; }
details > summary { cursor: pointer; font-size: .9rem; margin-bottom: .6rem; overflow-wrap: anywhere; }
.run-name { font-weight: 600; }

.equations { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20.5rem), 1fr)); gap: 1rem; }
.equation { background: var(--card); border-radius: 8px; padding: 1rem; }
.equation h3 { margin: 0; }
.equation p { margin: 0; font-size: .95rem; }
.formula { overflow-x: auto; padding: .6rem 0; font-size: 1.05rem; }
math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", math, serif; }
footer { color: var(--quiet); font-size: .8125rem; padding-top: 2rem; padding-bottom: 3rem; }

#verdicts .claims { padding-left: 1.3rem; max-width: 56rem; }
#verdicts .claims > li { margin-bottom: 1rem; }
#verdicts .claims p { margin: 0; }
.claims details { margin: .2rem 0 0; }
.parts { list-style: none; padding: 0; margin: 0; font-family: var(--sans); font-size: .8125rem; max-width: none; }
.parts li { margin-bottom: .2rem; font-variant-numeric: tabular-nums; }
.verdict { display: inline-block; font: 600 .78rem/1.5 var(--sans); padding: 0 .5em; border-radius: 4px; background: var(--card); color: var(--quiet); }
.good { color: var(--good); }
.bad { color: var(--bad); }
.quiet { color: var(--quiet); }
.verdict.good, .verdict.bad { color: var(--paper); }
.verdict.good { background: var(--good); }
.verdict.bad { background: var(--bad); }
.warnings li { margin-bottom: .5rem; }
.data { margin: 0; font-size: .84rem; }
.data caption { text-align: left; font-weight: 600; padding: 1rem 0 .4rem; }
.data th, .data td { padding: .3rem .7rem; border-bottom: 1px solid var(--rule); vertical-align: baseline; }
.data .right { text-align: right; white-space: nowrap; }
.data thead th { color: var(--quiet); font-weight: 500; }
.data tbody th { font-weight: 500; }

@media (max-width: 40rem) {
  body { font-size: 1rem; }
  .lead { font-size: 1.05rem; }
  .results th, .results td { padding: .45rem .55rem; }
  .results .spread { display: block; }
  .results tbody th { min-width: 7.4rem; border-right: 1px solid var(--rule); }
  .results tbody th small { display: none; }
  #overlays > input { float: left; clear: left; margin: .25rem .5rem 0 0; }
  #overlays > label { display: block; margin: 0 0 .5rem; }
  .facts div { grid-template-columns: 5rem minmax(0, 1fr); gap: .6rem; }
}
@media print {
  :root { color-scheme: light; ${LIGHT} --paper: #fff; font-size: 12px; }
  header, main, footer { max-width: none; padding: 0; }
  nav, #overlays > input, #overlays > label { display: none; }
  .results th, .results td { padding: .25rem .4rem; }
  .results thead tr:last-child .baseline, .results tbody th { min-width: 0; }
  .scroll { overflow: visible; }
  .panel, .example, .confusion, .equation, tr { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  .panels { grid-template-columns: repeat(3, 1fr); gap: .6rem; }
  .tiles { grid-template-columns: repeat(5, 1fr); gap: .5rem; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

export const style: Markup = trusted(`<style>${CSS.replace(/\n+/g, '\n')}</style>`);
