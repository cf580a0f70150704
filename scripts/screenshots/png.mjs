import { crc32, deflateSync, inflateSync } from 'node:zlib'

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const kept = new Set(['IHDR', 'PLTE', 'tRNS', 'IEND'])

/** The same picture in fewer bytes: packed as tightly as deflate can, without the chunks that nobody sees. */
export function squeeze(png) {
  const chunks = []
  const data = []
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at)
    const type = png.toString('latin1', at + 4, at + 8)
    const body = png.subarray(at + 8, at + 8 + length)
    if (type === 'IDAT') data.push(body)
    else if (kept.has(type)) chunks.push([type, body])
    at += 12 + length
  }
  const packed = deflateSync(inflateSync(Buffer.concat(data)), { level: 9, memLevel: 9 })
  const end = chunks.pop()
  const squeezed = Buffer.concat([
    signature,
    ...[...chunks, ['IDAT', packed], end].map(([type, body]) => chunk(type, body)),
  ])
  return squeezed.length < png.length ? squeezed : png
}

function chunk(type, body) {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length, 0)
  head.write(type, 4, 'latin1')
  const tail = Buffer.alloc(4)
  tail.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), body])), 0)
  return Buffer.concat([head, body, tail])
}
