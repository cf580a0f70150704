import type { Transport } from '@fernlab/firmware-bridge/transports/transport'

/** Numbers from 0 to 1, the same each time. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** A wire on which a byte of so many is another one at the far end, in both directions. */
export function noisy(transport: Transport, oneIn: number, seed: number): Transport {
  const random = randomNumbers(seed)
  const spoil = (bytes: Uint8Array) =>
    Uint8Array.from(bytes, (byte) => (random() * oneIn < 1 ? (byte + 1 + Math.floor(random() * 255)) & 0xff : byte))
  return {
    ...transport,
    write: (bytes) => transport.write(spoil(bytes)),
    onData: (listener) => transport.onData((bytes) => listener(spoil(bytes))),
  }
}
