/**
 * How the widget looks, on any page.
 *
 * Colours and type come from the page's `--td-*` properties where it has them (the kit's own pages do; a foreign page may set some on
 * `:root` or on the element), else from the values here, which are those of the kit's tokens.css. Sizes are in `em` of the reader's own
 * text size and in pixels, never in `rem`: many pages shrink their root.
 */

/** @type {Readonly<Record<string, string>>} */
export const LIGHT = Object.freeze({
  brand: "#0b6e5f",
  "brand-soft": "#e3f2ee",
  "on-brand": "#ffffff",
  ground: "#f6f7f5",
  surface: "#ffffff",
  "surface-sunken": "#eef0ed",
  line: "#d9ddd8",
  "line-strong": "#7b847d",
  ink: "#16211c",
  "ink-soft": "#4c5a53",
  focus: "#0b57d0",
  good: "#1d6b3a",
  warn: "#8a5300",
  "warn-soft": "#fdf1dc",
  bad: "#b3261e",
  person: "#3b4fa8",
  "person-soft": "#e9ecfb",
  shadow: "0 1px 2px rgb(16 32 24 / 8%), 0 8px 28px rgb(16 32 24 / 14%)",
});

/** @type {Readonly<Record<string, string>>} */
export const DARK = Object.freeze({
  brand: "#4fc3ad",
  "brand-soft": "#12322c",
  "on-brand": "#05231d",
  ground: "#101513",
  surface: "#171d1a",
  "surface-sunken": "#0c100e",
  line: "#2c3732",
  "line-strong": "#84918a",
  ink: "#eaf0ec",
  "ink-soft": "#aab6af",
  focus: "#8ab4f8",
  good: "#7fd19b",
  warn: "#f0bd6a",
  "warn-soft": "#33270f",
  bad: "#f2a29b",
  person: "#a9b7ff",
  "person-soft": "#1f2542",
  shadow: "0 1px 2px rgb(0 0 0 / 40%), 0 8px 28px rgb(0 0 0 / 50%)",
});

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';

/** @param {Readonly<Record<string, string>>} tokens */
function tokens(tokens) {
  return Object.entries(tokens)
    .map(([name, value]) => `--${name}: var(--td-${name}, ${value});`)
    .join(" ");
}

const HOST = `
:host {
  all: initial; display: block; color-scheme: light dark;
  ${tokens(LIGHT)}
  --font: var(--td-font, ${FONT}); --quick: 140ms;
  position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: 2147483000;
  font: 400 medium/1.5 var(--font); color: var(--ink);
}
:host([position="start"]) { inset-inline: 20px auto; }
:host([hidden]) { display: none; }
@media (prefers-color-scheme: dark) { :host { ${tokens(DARK)} } }
:host([theme="light"]) { color-scheme: light; ${tokens(LIGHT)} }
:host([theme="dark"]) { color-scheme: dark; ${tokens(DARK)} }
@media (prefers-reduced-motion: reduce) { :host { --quick: 0ms; } }
@media print { :host { display: none; } }
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, p, ul, ol, fieldset, figure { margin: 0; padding: 0; border: 0; }
ul, ol { list-style: none; }
button, textarea, input { font: inherit; color: inherit; letter-spacing: inherit; }
button { cursor: pointer; background: none; border: 0; padding: 0; touch-action: manipulation; }
button:disabled { cursor: default; }
:focus { outline: none; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
.icon { inline-size: 1.25em; block-size: 1.25em; flex: none; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.unseen { position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; border: 0; padding: 0; }
`;

const LAUNCHER = `
.launcher {
  position: relative; display: flex; align-items: center; gap: 9px; margin-inline-start: auto;
  min-block-size: 54px; padding-inline: 19px 22px; border-radius: 27px;
  background: var(--brand); color: var(--on-brand); font-weight: 600; box-shadow: var(--shadow);
  transition: background var(--quick), transform var(--quick);
}
:host([position="start"]) .launcher { margin-inline: 0 auto; }
.launcher:active { transform: none; } .launcher:hover { background: color-mix(in srgb, var(--brand) 86%, var(--ink)); transform: translateY(-1px); }
.launcher .icon { inline-size: 1.5em; block-size: 1.5em; }
.launcher .icon + .icon, .launcher[data-open] .icon:first-child, .launcher[data-open] .words { display: none; }
.launcher[data-open] .icon + .icon { display: block; }
.launcher[data-open] { padding-inline: 15px; }
.badge {
  position: absolute; inset-block-start: -6px; inset-inline-end: -4px; min-inline-size: 24px; padding-inline: 6px; border-radius: 12px;
  background: var(--bad); color: var(--surface); border: 2px solid var(--surface); font-size: .8125em; line-height: 20px; text-align: center;
}
`;

const PANEL = `
.panel {
  position: absolute; inset-block-end: 68px; inset-inline-end: 0; display: flex; flex-direction: column; overflow: hidden;
  inline-size: min(404px, calc(100vw - 40px)); block-size: min(690px, calc(var(--visible, 100vh) - 108px));
  background: var(--ground); border: 1px solid var(--line); border-radius: 20px; box-shadow: var(--shadow);
  font-size: .9375em; animation: rise var(--quick) ease-out;
}
:host([position="start"]) .panel { inset-inline: 0 auto; }
@keyframes rise { from { opacity: 0; transform: translateY(10px); } }
.head { display: flex; align-items: center; gap: 12px; padding: 13px 14px 13px 16px; background: var(--surface); border-block-end: 1px solid var(--line); }
.head .mark { inline-size: 38px; block-size: 38px; border-radius: 12px; }
.head .mark .icon { inline-size: 22px; block-size: 22px; }
.mark img { inline-size: 100%; block-size: 100%; object-fit: contain; border-radius: inherit; } .mark:has(img) { background: none; }
.hint a { color: var(--ink); overflow-wrap: anywhere; } .queue .hint[data-away] { flex-basis: calc(100% - 3em); } .hint[data-away] + .never { margin-inline-start: auto; }
.mark { flex: none; display: grid; place-items: center; background: var(--brand); color: var(--on-brand); }
.names { flex: 1; min-inline-size: 0; }
h2 { font-size: 1.0667em; font-weight: 650; line-height: 1.3; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.state { font-size: .8667em; line-height: 1.35; color: var(--ink-soft); display: flex; align-items: center; gap: 6px; }
.state::before { content: ""; flex: none; inline-size: 8px; block-size: 8px; border-radius: 50%; background: var(--good); }
[data-owner="queued"] .state::before { background: var(--warn); }
[data-owner="agent"] .state::before { background: var(--person); }
[data-owner="closed"] .state::before { background: var(--line-strong); }
.close { inline-size: 40px; block-size: 40px; display: grid; place-items: center; border-radius: 12px; color: var(--ink-soft); }
.close:hover { background: var(--surface-sunken); color: var(--ink); }
.link:not([data-shown]) { block-size: 0; overflow: hidden; }
.link[data-shown] { padding: 7px 16px; background: var(--warn-soft); color: var(--warn); font-size: .8667em; font-weight: 550; text-align: center; border-block-end: 1px solid var(--line); }
`;

const TALK = `
.talk { position: relative; flex: 1; min-block-size: 0; display: flex; }
.log { flex: 1; min-inline-size: 0; overflow-y: auto; overscroll-behavior: contain; padding: 16px 16px 14px; display: flex; flex-direction: column; }
.log:focus-visible { outline-offset: -3px; border-radius: 6px; }
.items { display: flex; flex-direction: column; gap: 14px; position: relative; }
.item { max-inline-size: 100%; }
.day, .line { text-align: center; font-size: .8667em; color: var(--ink-soft); padding-inline: 12px; }
.day { font-weight: 550; }
.line { display: flex; align-items: center; gap: 10px; padding-inline: 0; }
.line::before, .line::after { content: ""; flex: 1; min-inline-size: 12px; block-size: 1px; background: var(--line); }
.line.owner-agent { color: var(--person); font-weight: 550; }
.byline { display: flex; align-items: center; gap: 7px; margin-block-end: 5px; font-size: .8667em; color: var(--ink-soft); }
.byline bdi { font-weight: 600; color: var(--ink); overflow: hidden; text-overflow: ellipsis; }
.byline .mark { inline-size: 22px; block-size: 22px; border-radius: 8px; font-weight: 650; background: var(--brand-soft); color: var(--brand); }
.byline .mark .icon { inline-size: 14px; block-size: 14px; stroke-width: 2; }
.from-agent .byline .mark { background: var(--person); color: var(--surface); border-radius: 50%; }
.bubble { inline-size: fit-content; max-inline-size: 94%; padding: 10px 14px; border-radius: 4px 16px 16px; background: var(--surface); border: 1px solid var(--line); overflow-wrap: anywhere; }
[dir="rtl"] .bubble, :host(:dir(rtl)) .bubble { border-radius: 16px 4px 16px 16px; }
.from-agent .bubble { background: var(--person-soft); border-color: transparent; }
.from-customer { display: flex; flex-direction: column; align-items: flex-end; padding-inline-start: 40px; }
.from-customer .bubble, :host(:dir(rtl)) .from-customer .bubble { background: var(--brand); color: var(--on-brand); border-color: transparent; border-radius: 16px 16px 4px; max-inline-size: 100%; }
:host(:dir(rtl)) .from-customer .bubble { border-radius: 16px 16px 16px 4px; }
.from-customer:has([data-status="unsent"]) .bubble, .from-customer:has([data-status="refused"]) .bubble { background: var(--surface); color: var(--ink); border: 1px dashed var(--line-strong); }
.plain { white-space: pre-wrap; }
.status { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 4px 10px; margin-block-start: 4px; font-size: .8667em; color: var(--ink-soft); }
.status[data-status="unsent"], .status[data-status="refused"] { color: var(--bad); font-weight: 550; }
.status[data-status="sending"] { animation: appear 1ms .5s both; }
@keyframes appear { from { opacity: 0; } }
.small { border-radius: 4px; color: var(--brand); font-weight: 600; text-decoration: underline; text-underline-offset: 2px; min-block-size: 24px; }
.typing { display: flex; align-items: center; gap: 9px; margin-block-start: 14px; font-size: .8667em; color: var(--ink-soft); }
.dots { display: inline-flex; gap: 4px; padding: 10px 12px; border-radius: 4px 14px 14px; background: var(--surface); border: 1px solid var(--line); }
.typing[data-author="agent"] .dots { background: var(--person-soft); border-color: transparent; }
.dots i { inline-size: 6px; block-size: 6px; border-radius: 50%; background: var(--ink-soft); animation: beat 1.2s infinite ease-in-out; }
.dots i:nth-child(2) { animation-delay: .15s; } .dots i:nth-child(3) { animation-delay: .3s; }
@keyframes beat { 0%, 60%, 100% { opacity: .35; transform: none; } 30% { opacity: 1; transform: translateY(-3px); } }
.jump {
  position: absolute; inset-block-end: 10px; inset-inline: 0; margin-inline: auto; inline-size: fit-content; display: flex; align-items: center; gap: 6px;
  padding: 6px 12px 6px 14px; border-radius: 18px; background: var(--brand); color: var(--on-brand); font-size: .8667em; font-weight: 600; box-shadow: var(--shadow);
}
`;

const BODY = `
.body > * + *, .step + .body { margin-block-start: 8px; }
.bubble h3, .bubble h4 { margin: 10px 0 0; font-size: 1em; font-weight: 650; }
.bubble ul, .bubble ol { padding-inline-start: 20px; }
.bubble ul { list-style: disc; } .bubble ol { list-style: decimal; }
.bubble li + li { margin-block-start: 4px; } .bubble li::marker { color: var(--ink-soft); }
.bubble a { color: var(--brand); text-underline-offset: 2px; }
.from-agent .bubble a { color: var(--person); }
.bubble code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: .92em; background: var(--surface-sunken); border-radius: 5px; padding: 1px 5px; }
.bubble pre { margin-block-end: 0; padding: 10px 12px; overflow-x: auto; background: var(--surface-sunken); border-radius: 8px; }
.bubble pre code { padding: 0; background: none; }
.bubble blockquote { margin-inline: 0; padding-inline-start: 12px; border-inline-start: 3px solid var(--line); color: var(--ink-soft); }
.bubble img { display: block; max-inline-size: 100%; block-size: auto; border-radius: 10px; background: var(--surface-sunken); }
.wide { overflow-x: auto; }
.bubble table { border-collapse: collapse; font-size: .9333em; }
.bubble th, .bubble td { padding: 5px 9px; border: 1px solid var(--line); text-align: start; vertical-align: top; }
.bubble th { background: var(--surface-sunken); font-weight: 600; }
.guide .bubble { border-inline-start: 4px solid var(--brand); }
.step { display: flex; align-items: center; gap: 6px; color: var(--brand); font-size: .8667em; font-weight: 650; }
.done { display: block; block-size: 4px; margin-block: 7px 11px; border-radius: 2px; overflow: hidden; background: var(--line); }
.done::before { content: ""; display: block; block-size: 100%; inline-size: calc(var(--done) * 100%); border-radius: 2px; background: var(--brand); }
.progress h3 { margin: 0; font-size: 1.0667em; line-height: 1.3; } .progress + .body { margin-block-start: 6px; }
.sources { display: grid; gap: 6px; margin-block-start: 8px; max-inline-size: 94%; }
.source { display: flex; align-items: center; gap: 10px; padding: 8px 12px; border: 1px solid var(--line); border-radius: 12px; background: var(--surface); color: inherit; text-decoration: none; transition: border-color var(--quick); }
.source:hover { border-color: var(--brand); } .source:hover .title { text-decoration: underline; text-underline-offset: 2px; }
.source > .icon { color: var(--brand); } .source > .icon:last-child { color: var(--ink-soft); inline-size: 1em; block-size: 1em; }
:host(:dir(rtl)) .source > .icon:last-child { transform: scaleX(-1); }
.source .words { flex: 1; min-inline-size: 0; display: grid; line-height: 1.35; }
.source .title { font-weight: 600; } .source .section { font-size: .8667em; color: var(--ink-soft); }
.choices { display: flex; flex-wrap: wrap; gap: 8px; margin-block-start: 10px; }
.choice { min-block-size: 38px; padding: 6px 15px; border: 1.5px solid var(--brand); border-radius: 19px; background: var(--surface); color: var(--brand); font-weight: 600; text-align: start; line-height: 1.35; transition: background var(--quick); }
.choice:hover { background: var(--brand-soft); } .choice:active { background: var(--brand); color: var(--on-brand); }
`;

const FOOT = `
.queue { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; margin: 0 12px 10px; padding: 10px 12px; border-radius: 14px; background: var(--person-soft); color: var(--ink); line-height: 1.35; }
.queue > .icon { color: var(--person); inline-size: 1.5em; block-size: 1.5em; }
.place { flex: 1 1 calc(100% - 3em); font-weight: 600; } .queue .hint { flex: 1 1 11em; margin-inline-start: calc(1.5em / .8667 + 10px); font-size: .8667em; color: var(--ink-soft); overflow-wrap: anywhere; }
.never { margin-inline-start: auto; min-block-size: 34px; padding-inline: 12px; border-radius: 17px; border: 1.5px solid var(--person); color: var(--person); font-weight: 600; font-size: .9333em; }
.never:hover { background: var(--surface); } .never[aria-disabled] { opacity: .6; }
.composer { padding: 0 12px; }
.box { display: flex; align-items: flex-end; gap: 6px; padding: 5px 5px 5px 14px; background: var(--surface); border: 1.5px solid var(--line-strong); border-radius: 24px; }
:host(:dir(rtl)) .box { padding: 5px 14px 5px 5px; }
.box:focus-within { border-color: var(--brand); box-shadow: 0 0 0 1px var(--brand); }
.box:has([aria-invalid]) { border-color: var(--bad); box-shadow: 0 0 0 1px var(--bad); }
.box textarea { flex: 1; min-inline-size: 0; min-block-size: 38px; padding: 7px 0; border: 0; background: none; resize: none; overflow-y: hidden; line-height: 1.55; outline: none; }
textarea::placeholder { color: var(--ink-soft); opacity: 1; }
.send { flex: none; inline-size: 38px; block-size: 38px; display: grid; place-items: center; border-radius: 50%; background: var(--brand); color: var(--on-brand); transition: background var(--quick); }
.send:hover { background: color-mix(in srgb, var(--brand) 86%, var(--ink)); } .send:disabled { background: var(--surface-sunken); color: var(--ink-soft); }
.room { padding: 6px 14px 0; font-size: .8667em; color: var(--ink-soft); } .room[data-over] { color: var(--bad); font-weight: 550; }
.foot { padding: 6px 12px 10px; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 4px; min-block-size: 36px; font-size: .8667em; }
.row button, .row a { display: flex; align-items: center; gap: 6px; min-block-size: 36px; padding-inline: 8px; border-radius: 10px; color: var(--ink-soft); font-weight: 550; text-decoration: none; }
.row button:hover, .row a:hover { background: var(--surface-sunken); color: var(--ink); }
.row .person { color: var(--person); } .row [aria-disabled] { opacity: .7; } .row .help { margin-inline-start: auto; }
.sure span { padding-inline: 9px; font-weight: 600; flex: 1; } .row .yes { color: var(--bad); } .row .no { color: var(--brand); }
.closing { overflow-y: auto; max-block-size: 66%; flex: none; padding: 16px; background: var(--surface); border-block-start: 1px solid var(--line); }
.ended { font-weight: 650; text-align: center; } .ended:focus { outline: none; }
.rating { margin-block-start: 10px; } legend { padding: 0; inline-size: 100%; text-align: center; color: var(--ink-soft); }
.scores { display: grid; grid-template-columns: repeat(5, 1fr); gap: 6px; margin-block-start: 8px; }
.score { position: relative; display: grid; } .score label { display: grid; justify-items: center; gap: 3px; padding: 8px 2px; border: 1.5px solid var(--line); border-radius: 12px; cursor: pointer; text-align: center; }
.score b { font-size: 1.1333em; line-height: 1.2; } .score span { font-size: .8em; line-height: 1.2; color: var(--ink-soft); }
.score:hover label { border-color: var(--brand); } .score input:checked + label { border-color: var(--brand); background: var(--brand-soft); } .score input:checked + label b { color: var(--brand); }
.score input { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; margin: 0; opacity: 0; cursor: pointer; }
.score input:focus-visible + label { outline: 2px solid var(--focus); outline-offset: 2px; }
.more { display: grid; gap: 6px; margin-block-start: 12px; } .more label { font-size: .8667em; color: var(--ink-soft); }
.more textarea { inline-size: 100%; padding: 8px 12px; border: 1px solid var(--line-strong); border-radius: 12px; background: var(--surface); resize: vertical; max-block-size: 140px; }
.strong { min-block-size: 40px; border-radius: 20px; background: var(--brand); color: var(--on-brand); font-weight: 600; } .strong:disabled { background: var(--surface-sunken); color: var(--ink-soft); }
.thanks { margin-block-start: 8px; text-align: center; color: var(--good); font-weight: 550; }
.begin { display: flex; align-items: center; justify-content: center; gap: 8px; inline-size: 100%; min-block-size: 42px; margin-block-start: 12px; border: 1.5px solid var(--brand); border-radius: 21px; color: var(--brand); font-weight: 600; }
.begin:hover { background: var(--brand-soft); }
`;

const PLACES = `
@media (max-width: 480px), (max-height: 500px) {
  :host { inset-block-end: 14px; inset-inline-end: 14px; }
  .panel, :host([position="start"]) .panel { position: fixed; inset: 0 0 auto; inline-size: 100%; block-size: var(--visible, 100dvh); border: 0; border-radius: 0; }
  .launcher[data-open] { visibility: hidden; }
  .head { padding-block-start: max(13px, env(safe-area-inset-top)); } .foot { padding-block-end: max(10px, env(safe-area-inset-bottom)); }
  /* Below 16 px a phone zooms into the box. */
  .box textarea, .more textarea { font-size: max(16px, 1em); }
}
@media (prefers-reduced-motion: reduce) { *, ::before, ::after { animation: none !important; transition: none !important; } }
@media (forced-colors: active) {
  .bubble, .choice, .launcher, .send, .source, .jump, .queue, .done { border: 1px solid; } .score input:checked + label { outline: 3px solid Highlight; }
  .done { block-size: 8px; } .done::before, .state::before, .dots i { background: CanvasText; forced-color-adjust: none; } :focus-visible { outline-color: Highlight; }
}
`;

/** All of it as one text. */
export const STYLE = [HOST, LAUNCHER, PANEL, TALK, BODY, FOOT, PLACES].join("");

/** Dresses a shadow root. @param {ShadowRoot} root */
export function applyStyle(root) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
}
