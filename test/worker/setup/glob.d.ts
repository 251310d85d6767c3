// The one thing that the tests use of Vite's import.meta: its own types would bring the DOM's globals.
interface ImportMeta {
  glob<T>(pattern: string, options: { query: '?raw'; import: 'default'; eager: true }): Record<string, T>
}
