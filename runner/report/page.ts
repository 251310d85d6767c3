// A report as one HTML file: no address is loaded but the pictures', so that it can be opened from a disk or sent to a
// colleague. Everything that came from a manifest or a model travels as JSON and reaches the page as text, never as markup.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Report } from './data.ts'

const asset = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8')

/** What a report begins with: the mark of a file that the next one may replace. */
export const REPORT_BEGINS = /^<!doctype html>[\s\S]*?<meta name="generator" content="proofsheet report">/

/** The page. */
export function reportPage(report: Report): string {
  const script = asset('./page.js')
  const style = asset('./page.css')
  const policy = [
    "default-src 'none'",
    'img-src http: https: data: file:',
    `style-src ${digestOf(style)}`,
    `script-src ${digestOf(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="proofsheet report">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escapeHtml(report.name)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(report.name)}</h1>
<p id="facts"></p>
<form id="filters" role="search">
<label>Search <input id="text" type="search" autocomplete="off" placeholder="id, prompt or words"></label>
<label>State <select id="state"><option value="">all</option></select></label>
<label>Tag <select id="tag"><option value="">all</option></select></label>
<span id="found" role="status"></span>
</form>
</header>
<main id="rows"></main>
<noscript><p>This page shows its pictures with a script of its own, which your browser does not run.</p></noscript>
<footer id="picks" hidden>
<label for="command">Your marks as commands</label>
<textarea id="command" readonly rows="2" spellcheck="false"></textarea>
<button id="copy" type="button">Copy commands</button>
<button id="forget" type="button">Forget marks</button>
</footer>
<dialog id="large" aria-labelledby="large-id">
<h2 id="large-id"></h2>
<img id="large-image" alt="">
<p id="large-facts"></p>
<p id="large-prompt"></p>
<p class="buttons">
<button id="before" type="button">← Before</button>
<button id="after" type="button">Next →</button>
<a id="full" target="_blank" rel="noreferrer">Full size</a>
<button id="close" type="button">Close</button>
</p>
</dialog>
<script type="application/json" id="report">${jsonInHtml(report)}</script>
<script>${script}</script>
</body>
</html>
`
}

/** JSON that cannot end the element it stands in, nor begin a comment there. */
export function jsonInHtml(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

function digestOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
