/** One style for all pages; no font, image or file is loaded. Colours are checked for contrast in light and dark. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fff; --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --panel: #f6f8fa; --code: #f6f8fa;
  --good: #1a7f37; --bad: #cf222e; --busy: #9a6700; --wait: #8250df; --none: #59636e; --link: #0969da;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --text: #e6edf3; --soft: #9198a1; --line: #3d444d; --panel: #151b23; --code: #010409;
    --good: #3fb950; --bad: #f85149; --busy: #d29922; --wait: #ab7df8; --none: #9198a1; --link: #4493f8;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
a { color: var(--link); }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 1.1rem; }
.soft { color: var(--soft); }
.facts { margin: 0.5rem 0 1.5rem; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 0.15rem 1.25rem; color: var(--soft); }
.note { margin: 0 0 1.5rem; padding: 0.6rem 1rem; border-left: 4px solid var(--line); background: var(--panel); }
.mark { display: inline-block; padding: 0 0.6em; border: 1px solid; border-radius: 1em; font-size: 0.85rem; font-weight: 600; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--busy); } .wait { color: var(--wait); } .none { color: var(--none); }
.stage { margin: 0 0 1rem; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.stage > header { display: flex; flex-wrap: wrap; align-items: center; gap: 0.25rem 0.75rem; padding: 0.6rem 1rem; background: var(--panel); }
.stage > header .time { margin-left: auto; }
.action { padding: 0.6rem 1rem; border-top: 1px solid var(--line); }
.action > .line { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.75rem; }
.action .time { margin-left: auto; }
.action p { margin: 0.35rem 0 0; overflow-wrap: anywhere; }
.time { color: var(--soft); font-size: 0.9rem; font-variant-numeric: tabular-nums; }
p.bad { color: var(--bad); } .tests ul { margin: 0.15rem 0 0; padding-left: 1.25rem; overflow-wrap: anywhere; }
details { margin-top: 0.4rem; }
summary { cursor: pointer; color: var(--soft); font-size: 0.9rem; }
pre { margin: 0.4rem 0 0; padding: 0.75rem; max-height: 32rem; overflow: auto; border-radius: 6px; background: var(--code);
  border: 1px solid var(--line); font: 0.8rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; } th, td { padding: 0.25rem 1rem 0.25rem 0; text-align: left; vertical-align: top; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.phases { margin-top: 0.35rem; font-size: 0.9rem; } .phases th:last-child, .phases td:last-child { padding-right: 0; } .phases th[scope=row] { font-weight: 400; } .phases code, .began { white-space: nowrap; overflow-wrap: normal; } .phases td.bad { padding-bottom: 0.75rem; overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
button, .button { display: inline-block; padding: 0.5rem 1rem; border: 0; border-radius: 6px; background: #1f6feb; color: #fff; font: inherit; cursor: pointer; }
label { display: block; margin-top: 1rem; } input[type=text] { font: inherit; padding: 0.35rem 0.5rem; max-width: 100%; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
@media (max-width: 36rem) { .phases .began { display: none; } .phases th, .phases td { padding-right: 0.5rem; } .stage > header .time, .action .time { margin-left: 0; } }
`;
