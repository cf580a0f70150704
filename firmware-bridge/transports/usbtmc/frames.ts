const HEAD_BYTES = 5

/** Cuts a stream of frames, split anywhere, into what is in them; see `usbtmc.py`. */
export function createFrames(onFrame: (kind: string, payload: Buffer) => void): (piece: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (piece) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    while (rest.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + rest.readUInt32BE(1)
      if (rest.length < end) return
      const kind = String.fromCharCode(rest[0] ?? 0)
      const payload = rest.subarray(HEAD_BYTES, end)
      rest = rest.subarray(end)
      onFrame(kind, payload)
    }
  }
}
