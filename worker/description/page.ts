// /docs: a page on which Swagger UI renders /openapi.json. It comes from the package swagger-ui-dist, as a part of this
// worker, and its policy lets it reach nothing but this worker. It can send what is read only: a page of documentation
// must not buy a picture by a stray click.

const FOLDER = '/docs'

/** The page. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>proofsheet API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${FOLDER}/swagger-ui.css">
<link rel="stylesheet" href="${FOLDER}/page.css">
</head>
<body>
<noscript><p>This page renders <a href="/openapi.json">/openapi.json</a> with JavaScript, which is switched off.</p></noscript>
<div id="reference"></div>
<script src="${FOLDER}/swagger-ui-bundle.js"></script>
<script src="${FOLDER}/page.js"></script>
</body>
</html>
`

/** Starts the renderer, in the colours that the reader's system prefers. */
export const SCRIPT = `const dark = matchMedia('(prefers-color-scheme: dark)')
const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', paint)
paint()
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  supportedSubmitMethods: ['get', 'head'],
  validatorUrl: null,
})
`

/** What Swagger UI leaves open: a ground for light colours, narrow windows, and a column of links that this API has not. */
export const STYLE = `html { background: #fff; }
body { margin: 0; }
.swagger-ui .response-col_links { display: none; }
.swagger-ui .opblock-body { overflow-x: auto; }
noscript p { margin: 2rem; font-family: sans-serif; }
`

/** What the page may load and reach: this worker. Swagger UI has its icons in its style sheet, as data. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')
