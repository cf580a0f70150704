/**
 * Serves one emulated bench from a process of its own, so that a node meets it as it would real instruments:
 *
 *     tsx firmware-bridge/emulated/serve-emulated.ts --world diode psu=pty:/run/lab/psu voltmeter=tcp:127.0.0.1:5025
 *
 * Prints one JSON line per instrument once it can be opened (`{"device", "transport"}`; port 0 means any free one), takes
 * `{"device", "fault"}` and `{"device", "hangUp": true}` lines on standard input (see wire-device.ts), answers each with a
 * line, and ends on SIGTERM, SIGINT or end of input.
 * A pty is made by socat, which must be installed.
 */
import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { readArguments } from '@fernlab/shared/programs/read-arguments'
import { reportFailure } from '@fernlab/shared/programs/report-failure'
import type { TransportConfig } from '../transports/transport.ts'
import type { Fault, WireDevice } from './wire-device.ts'
import { createWorlds } from './worlds.ts'

interface Served {
  readonly transport: Partial<TransportConfig>
  close(): Promise<void>
}

async function serveTcp(device: WireDevice, host: string, port: number): Promise<Served> {
  const open = new Set<Socket>()
  const server: Server = createServer({ noDelay: true }, (socket) => {
    const wire = device.connect({ data: (bytes) => socket.write(bytes), hangUp: () => socket.destroy() })
    socket.on('data', (bytes) => wire.receive(bytes))
    socket.on('error', () => socket.destroy())
    open.add(socket)
    socket.on('close', () => {
      wire.close()
      open.delete(socket)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const actual = typeof address === 'object' && address !== null ? address.port : port
  return {
    transport: { kind: 'tcp', host, port: actual },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

/** Our own descriptor on the near end keeps the pty alive between the node's connections; a hang-up makes a new one. */
async function servePty(device: WireDevice, path: string): Promise<Served> {
  let closed = false
  let stop = async () => {}
  const start = async () => {
    const socat = spawn('socat', ['-b', '65536', 'STDIO', `pty,raw,echo=0,link=${path}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const failed = new Promise<never>((_, reject) => {
      socat.once('error', (cause) => {
        const message = `a pty needs socat: ${cause.message}`
        reject(new LabError({ code: 'socat-missing', kind: 'configuration', message, cause }))
      })
    })
    const gone = new Promise<void>((resolve) => socat.once('exit', () => resolve()))
    const wire = device.connect({ data: (bytes) => socat.stdin.write(bytes), hangUp: () => void again() })
    socat.stdin.on('error', () => wire.close())
    socat.stdout.on('data', (bytes: Buffer) => wire.receive(bytes))
    const holder = await Promise.race([failed, openWhenThere(path)])
    stop = async () => {
      wire.close()
      socat.kill()
      await holder.close()
      await gone
    }
  }
  const restart = async () => {
    if (closed) return
    await stop()
    if (!closed) await start()
  }
  let starting = start()
  const again = () => {
    starting = starting.then(restart)
    return starting
  }
  await starting
  return {
    transport: { kind: 'serial', path },
    close: async () => {
      closed = true
      // The last one may be half made.
      await starting
      await stop()
    },
  }
}

async function openWhenThere(path: string): Promise<FileHandle> {
  for (let tries = 0; tries < 500; tries++) {
    const there = await lstat(path).then(
      () => true,
      () => false,
    )
    if (there) return await open(path, constants.O_RDWR | constants.O_NOCTTY)
    await systemClock.sleep(10)
  }
  throw new LabError({ code: 'pty-missing', kind: 'configuration', message: `socat did not make ${path} within 5 s` })
}

async function serve(device: WireDevice, where: string): Promise<Served> {
  const [kind, ...rest] = where.split(':')
  if (kind === 'pty' && rest.length > 0) return await servePty(device, rest.join(':'))
  if (kind === 'tcp' && rest.length === 2) return await serveTcp(device, rest[0] ?? '127.0.0.1', Number(rest[1]))
  throw new LabError({
    code: 'bad-argument',
    kind: 'configuration',
    message: `${where}: use pty:PATH or tcp:HOST:PORT`,
  })
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments(
    { options: { world: { type: 'string' } }, allowPositionals: true },
    '[--world NAME] DEVICE=pty:PATH|tcp:HOST:PORT …',
  )
  const world = createWorlds({ clock: systemClock }).world(values.world ?? 'diode')
  const served: Served[] = []
  for (const argument of positionals) {
    const [name = '', where = ''] = argument.split(/=(.*)/s)
    const one = await serve(world.device(name), where)
    served.push(one)
    process.stdout.write(`${JSON.stringify({ device: name, transport: one.transport })}\n`)
  }
  const end = () => {
    void Promise.all(served.map((one) => one.close())).then(() => process.exit(0))
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  const input = createInterface({ input: process.stdin })
  input.on('line', (line) => {
    const { device, fault, hangUp } = JSON.parse(line) as { device: string; fault?: Fault; hangUp?: boolean }
    if (hangUp === true) world.device(device).hangUp()
    else world.device(device).setFault(fault)
    process.stdout.write(`${JSON.stringify({ device, fault: fault ?? null })}\n`)
  })
  input.on('close', end)
}

try {
  await main()
} catch (error) {
  reportFailure(error)
  process.exitCode = 1
}
