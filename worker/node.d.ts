// What is used of Node's crypto in workerd (nodejs_compat): the whole of @types/node would clash with the platform's own
// globals.
declare module 'node:crypto' {
  interface Hash {
    update(data: string | Uint8Array): this
    digest(): Uint8Array
    digest(encoding: 'hex'): string
  }
  export function createHash(algorithm: 'sha256'): Hash
}
