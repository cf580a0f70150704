/** A fresh key for one request that may be sent twice; `randomUUID` is missing on plain HTTP, so it is not used. */
export function idempotencyKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
