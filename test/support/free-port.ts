/**
 * Ports for programs that a test starts, and perhaps starts again, under an address that others are told before.
 *
 * INVARIANTS: a port is outside the range from which the kernel takes those of outgoing connections, so that nobody comes
 * by it by chance while its program is away; no two test processes are given the same while both live.
 */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

/** Lower ones are those of well-known programs. */
const LOWEST = 10_000
const HIGHEST = 65_535
const rangeFile = '/proc/sys/net/ipv4/ip_local_port_range'

/** First and last of the widest span that holds no port of the kernel's range, `32768\t60999`; one it holds none of is not there. */
export function portsBeside(range: string): readonly [first: number, last: number] {
  const [low = Number.NaN, high = Number.NaN] = range.trim().split(/\s+/).map(Number)
  const [below, above] = [low - LOWEST, HIGHEST - high]
  if (!(Math.max(below, above) > 0))
    throw new Error(`the kernel’s range of ports, ${range.trim()}, leaves none to tests`)
  return below >= above ? [LOWEST, low - 1] : [high + 1, HIGHEST]
}

/** A port on loopback where nobody listens; it is this process's for as long as that lives. */
export async function freePort(): Promise<number> {
  const [first, last] = portsBeside(readFileSync(rangeFile, 'utf8'))
  const count = last - first + 1
  // Not all begin with the same.
  const start = Math.floor(Math.random() * count)
  for (let at = 0; at < count; at++) {
    const port = first + ((start + at) % count)
    // A name in the kernel's own name space is gone with its process, whatever becomes of that.
    const claim = await listening({ path: `\0fernlab-test-port-${port}` })
    if (claim === undefined) continue
    const probe = await listening({ port, host: '127.0.0.1' })
    if (probe === undefined) {
      claim.close()
      continue
    }
    await new Promise((resolve) => probe.close(resolve))
    claim.unref()
    return port
  }
  throw new Error(`no port from ${first} to ${last} is free`)
}

/** Undefined where somebody has it. */
function listening(where: { readonly path: string } | { readonly port: number; readonly host: string }) {
  const server = createServer()
  return new Promise<Server | undefined>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(where, () => resolve(server))
  })
}
