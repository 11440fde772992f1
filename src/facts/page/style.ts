/**
 * How the page looks. No meaning depends on colour alone: a role has a word, a sign and, in the
 * drawing, a height. The colours are those of Okabe and Ito, which people with any kind of colour
 * blindness tell apart. Both schemes have a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3).
 */
export const style = `
:root {
  color-scheme: light dark;
  --text: #1a1a1a; --quiet: #595959; --ground: #fff; --line: #bbb; --panel: #f3f3f3;
  --primary: #0060a0; --standby: #00704f; --trouble: #b03a00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #eee; --quiet: #b0b0b0; --ground: #161616; --line: #555; --panel: #242424;
    --primary: #64b9f0; --standby: #2fc59a; --trouble: #ff9457;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 64rem;
  font: 1rem/1.45 system-ui, sans-serif; color: var(--text); background: var(--ground);
  overflow-wrap: anywhere;
}
h1 { margin: 0 0 .3rem; font-size: 2rem; line-height: 1.2; }
h1, .primary .role { color: var(--primary); }
h1.trouble, .trouble, .unavailable .role, .silent .role { color: var(--trouble); }
.standby .role { color: var(--standby); }
h2 { margin: 1.8rem 0 .5rem; font-size: 1.15rem; }
ul { margin: .3rem 0; padding-left: 1.2rem; }
p { margin: .3rem 0; }
.quiet, footer { color: var(--quiet); }
.trouble, .role { font-weight: 600; }
a { color: inherit; }
#notice {
  position: sticky; top: 0; margin: 0 0 1rem; padding: .6rem .8rem; font-weight: 600;
  color: var(--ground); background: var(--trouble);
}
.stale main { opacity: .45; }
table { width: 100%; border-collapse: collapse; margin-top: 1.2rem; }
th, td { padding: .45rem .8rem .45rem 0; text-align: left; vertical-align: top; }
thead th { color: var(--quiet); font-weight: 400; border-bottom: 2px solid var(--line); }
tbody { border-bottom: 1px solid var(--line); }
tbody th { font-weight: 600; }
th .quiet { font-weight: 400; }
thead :last-child, td:last-child { padding-right: 0; }
td { min-width: 5.5rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.role { white-space: nowrap; }
.note td { padding-top: 0; }
.lane { display: flex; align-items: center; gap: .8rem; margin: .25rem 0; }
.lane > :first-child { flex: 0 0 9rem; }
.lane svg { flex: 1; height: 1.6rem; min-width: 0; }
svg { background: var(--panel); shape-rendering: crispEdges; }
.axis, .key { display: flex; justify-content: space-between; margin-left: 9.8rem; }
.axis span { white-space: nowrap; }
.key { flex-wrap: wrap; justify-content: start; gap: .3rem 1.2rem; margin-top: .5rem; }
.key span { display: flex; align-items: center; gap: .5rem; }
.key svg { width: 1.5rem; height: 1.25rem; }
rect.primary { fill: var(--primary); }
rect.standby { fill: var(--standby); }
rect.unavailable { fill: var(--trouble); }
rect.ground { fill: var(--panel); }
line { stroke: var(--quiet); stroke-width: 2; }
ol { list-style: none; margin: .8rem 0 0; padding: 0; }
li { margin: .2rem 0; }
footer { margin-top: 1.8rem; padding-top: .6rem; border-top: 1px solid var(--line); }
footer a { margin-right: 1rem; }
@media (max-width: 40rem) {
  body { padding: .7rem; }
  h1 { font-size: 1.6rem; }
  thead { display: none; }
  table, tbody, tr, th, td { display: block; padding: 0; }
  tbody { padding: .6rem 0; }
  thead :last-child, td:last-child { padding-right: 0; }
.number { text-align: left; white-space: normal; }
  td[data-title]::before { content: attr(data-title) ': '; color: var(--quiet); }
  .lane > :first-child { flex-basis: 6rem; }
  .axis { margin-left: 6.8rem; }
  .key { margin-left: 0; }
}
@media print {
  :root { --text: #000; --ground: #fff; --quiet: #444; }
  body { max-width: none; padding: 0; }
  rect, svg { print-color-adjust: exact; }
  footer a { display: none; }
}
`
