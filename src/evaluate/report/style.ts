import { darkSvgRules, palette } from './palette.ts';

function variables(time: 'light' | 'dark'): string {
  return Object.entries(palette)
    .map(([name, ink]) => `--${name}:${ink[time]}`)
    .join(';');
}

/**
 * The page's style rules: one column on a phone, two on a desk; day and night. A table that goes on beyond
 * an edge has a shadow there.
 */
export const style = `
:root{color-scheme:light dark;${variables('light')};--mark:#fbe3a8;--gone:#f6d5d1}
@media (prefers-color-scheme:dark){:root{${variables('dark')};--mark:#57431a;--gone:#56302c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;
overflow-wrap:anywhere;
-webkit-text-size-adjust:100%;text-size-adjust:100%;font-variant-numeric:tabular-nums}
main{max-width:66rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1,h2,h3,p,figure,dl,dd,table{margin:0}
h1{font-size:clamp(1.9rem,6vw,2.75rem);line-height:1.15;font-weight:650;letter-spacing:-.02em}
h2{font-size:1.25rem;line-height:1.3;font-weight:650;letter-spacing:-.01em}
h3{font-size:1rem;line-height:1.4;font-weight:600}
.eyebrow{color:var(--muted);font-size:.875rem;margin-bottom:.5rem}
.lead{font-size:1.0625rem;max-width:44rem;margin-top:1rem}
.small{color:var(--muted);font-size:.875rem;max-width:44rem;margin-top:.5rem}
section{border-top:1px solid var(--rule);padding-top:1.25rem;margin-top:2.75rem;min-width:0}
section>p,figure>p{max-width:40rem;margin-top:.4rem}
.tiles,.pair,.maps{display:grid;gap:1.25rem;margin-top:1.25rem;grid-template-columns:minmax(0,1fr)}
.tile{background:var(--panel);border-radius:.75rem;padding:1.1rem 1.25rem 1.2rem}
.tile h3,.text h3{display:flex;align-items:center;gap:.5rem}
.dot{width:.75rem;height:.75rem;flex:none}
.big{font-size:1.75rem;line-height:1.2;font-weight:650;letter-spacing:-.02em;margin-top:.5rem}
.under{color:var(--muted);font-size:.875rem}
.tile dl{margin-top:.9rem}
.tile dt{color:var(--muted);font-size:.8125rem;margin-top:.55rem}
.tile dd{font-size:.9375rem}
figure svg{display:block;width:100%;max-width:30rem;height:auto;margin-top:1rem}
.maps figure svg{margin-top:.5rem}
figcaption{color:var(--muted);font-size:.875rem;max-width:40rem;margin-top:.5rem}
details{margin-top:.75rem;font-size:.875rem}
summary{cursor:pointer;color:var(--muted);padding:.35rem 0}
summary:focus-visible{outline:2px solid var(--ink);outline-offset:2px}
.scroll{overflow:auto;max-height:24rem;margin-top:.25rem;
background:linear-gradient(90deg,var(--paper) 40%,transparent) 0/3rem 100% no-repeat local,
linear-gradient(270deg,var(--paper) 40%,transparent) 100%/3rem 100% no-repeat local,
linear-gradient(90deg,var(--rule),transparent) 0/1rem 100% no-repeat,
linear-gradient(270deg,var(--rule),transparent) 100%/1rem 100% no-repeat}
table{border-collapse:collapse;width:100%;font-size:.875rem}
th,td{text-align:left;vertical-align:top;padding:.4rem 1rem .4rem 0;border-bottom:1px solid var(--rule);white-space:nowrap}
td:first-child,.tasks td:nth-child(3){white-space:normal;min-width:7rem}
th{white-space:normal;overflow-wrap:normal;font-weight:600;color:var(--muted)}
.text{margin-top:1.5rem}
.text blockquote{margin:.35rem 0 0;white-space:pre-wrap}
.text blockquote,.prompt{font-family:ui-serif,Georgia,"Times New Roman",serif;font-size:1.0625rem;line-height:1.6}
ins,del{text-decoration:none;border-radius:.2rem;padding:.05em 0;-webkit-box-decoration-break:clone;box-decoration-break:clone}
ins{background:var(--mark);border-bottom:2px solid currentColor}
del{background:var(--gone);border-bottom:2px dotted currentColor}
.prompt{color:var(--muted)}
.facts{display:grid;gap:.1rem 1.5rem;grid-template-columns:minmax(0,1fr);font-size:.875rem;margin-top:.75rem}
.facts dt{color:var(--muted);margin-top:.5rem}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.8125rem}
ul{margin:.5rem 0 0;padding-left:1.1rem;font-size:.875rem}
footer{color:var(--muted);font-size:.875rem;margin-top:3rem}
@media (min-width:40rem){.tiles,.maps{grid-template-columns:repeat(auto-fit,minmax(17rem,1fr))}
.pair{grid-template-columns:1fr 1fr;gap:2.5rem}
.facts{grid-template-columns:11rem minmax(0,1fr)}.facts dt{margin-top:0}.facts dd{margin-bottom:.35rem}}
@media (min-width:56rem){main{padding-top:3.5rem}
.plots{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 3.5rem}}
${darkSvgRules()}
`.trim();
