/** The most that one documents message holds, unless a single document is larger. */
export const MESSAGE_BYTES = 1024 * 1024 - 64

const HEAD = Uint8Array.from([0xa1, 0x69, ...new TextEncoder().encode('documents')])

/** `{documents: […]}` in CBOR (RFC 8949) around documents that are CBOR already. */
export function composeDocuments(documents: readonly Uint8Array[]): Uint8Array {
  const size = documents.reduce((sum, one) => sum + one.byteLength, HEAD.byteLength + 5)
  const message = new Uint8Array(size)
  message.set(HEAD)
  let at = HEAD.byteLength
  message[at] = 0x9a // an array whose length follows in four bytes
  new DataView(message.buffer).setUint32(at + 1, documents.length)
  at += 5
  for (const one of documents) {
    message.set(one, at)
    at += one.byteLength
  }
  return message
}
