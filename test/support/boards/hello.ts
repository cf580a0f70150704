import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type FirmwareImage, readIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'

export const helloFolder = fileURLToPath(new URL('../../../firmware-bridge/firmware/hello/', import.meta.url))
export const helloFile = `${helloFolder}hello.hex`
export const hello = readIntelHex(readFileSync(helloFile, 'utf8'), 'hello.hex')

/** What it says as it starts. */
export const banner = (version = '1.0.0') => `fernlab-hello ${version}\r\n`

/** The same firmware with another version in it; `filled` up to that many bytes with what is never run. */
export function helloVersion(version: string, filledTo = 0): FirmwareImage {
  const [part] = hello.parts
  const found = part === undefined ? -1 : Buffer.from(part.data).indexOf('1.0.0')
  if (part === undefined || found < 0 || version.length !== 5) throw new Error('hello.hex has no version')
  const data = new Uint8Array(Math.max(part.data.length, filledTo))
  for (let i = 0; i < data.length; i++) data[i] = part.data[i] ?? (i * 7 + (i >> 8)) & 0xff
  data.set(new TextEncoder().encode(version), found)
  return { parts: [{ address: 0, data }], bytes: data.length, end: data.length }
}

/** A function that resolves once what has come since it last did ends with the text. */
export function hearing(transport: Transport) {
  let said = ''
  let check = () => {}
  transport.onData((bytes) => {
    said += new TextDecoder('latin1').decode(bytes)
    check()
  })
  return (wanted: string, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`heard ${JSON.stringify(said)}`)), { once: true })
      check = () => {
        if (!said.endsWith(wanted)) return
        said = ''
        resolve()
      }
      check()
    })
}
