// Files that are bundled as they are: wrangler.toml has the rules.
declare module 'swagger-ui-dist/swagger-ui-bundle.js' {
  const bytes: ArrayBuffer
  export default bytes
}
declare module 'swagger-ui-dist/swagger-ui.css' {
  const bytes: ArrayBuffer
  export default bytes
}
