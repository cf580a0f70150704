/** A serial port whose other end the test has. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

export interface SerialPort {
  readonly path: string
  readonly config: {
    readonly kind: 'serial'
    readonly path: string
    readonly baudRate: 9600
    readonly dataBits: 8
    readonly parity: 'none'
    readonly stopBits: 1
    readonly flowControl: 'none'
  }
  /** The process at the other end: what it is written comes at the port. */
  readonly other: ChildProcessByStdio<Writable, Readable, null>
  remove(): Promise<void>
}

/** A pty with a name of its own; it is there when this resolves. */
export async function serialPort(signal: AbortSignal): Promise<SerialPort> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-serial-'))
  const path = join(folder, 'port')
  const other = spawn('socat', ['STDIO', `pty,raw,echo=0,link=${path}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  other.stdout.resume()
  const remove = async () => {
    other.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  try {
    while (!existsSync(path)) await sleep(10, undefined, { signal })
  } catch (thrown) {
    await remove()
    throw thrown
  }
  const config = { kind: 'serial', path, baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' }
  return { path, config: config as SerialPort['config'], other, remove }
}
