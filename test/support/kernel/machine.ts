/**
 * A machine of QEMU that runs a guest.
 *
 * INVARIANTS: the machine ends with `end()`, with its time limit, and with the process that started it; it is ended by
 * its process id. What waits for it is told of its end.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { type GuestMessage, type HostMessage, messageReader } from './messages.ts'
import type { QemuProgram } from './qemu.ts'
import { type Qmp, speakQmp } from './qmp.ts'

export interface MachineOptions {
  readonly qemu: QemuProgram
  /** Machine, processor, memory, kernel, initramfs, devices; console and port are added. */
  readonly args: readonly string[]
  /** The folder for sockets and the console's log: a short path. */
  readonly folder: string
  readonly limitMs: number
  /** Whether the port is the first serial line and the console the second one. */
  readonly portFirst: boolean
}

export interface RunningMachine {
  readonly qmp: Qmp
  /** A path for a socket of the machine. */
  socketPath(name: string): string
  send(message: HostMessage): void
  /** The guest's next message; rejects, with the console's last lines, when the machine has ended. */
  next(): Promise<GuestMessage>
  console(): string
  end(): Promise<void>
}

/** Starts a machine; resolves when it has connected, long before its kernel has booted. */
export async function startMachine(options: MachineOptions): Promise<RunningMachine> {
  mkdirSync(options.folder, { recursive: true })
  const socketPath = (name: string) => join(options.folder, name)
  const consolePath = socketPath('console.log')
  const port = await listen(socketPath('port'))
  const control = await listen(socketPath('qmp'))
  const { command, args, env = {} } = options.qemu
  const child = spawn(command, [...args, ...options.args, ...wires(socketPath, consolePath, options.portFirst)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const inbox = new Inbox()
  const printed = () => (existsSync(consolePath) ? readFileSync(consolePath, 'utf8').slice(-6000) : '')
  watch(child, options, inbox, printed)
  const end = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    for (const each of [port, control]) each.close()
  }
  try {
    const [portSocket, qmpSocket] = await Promise.race([
      Promise.all([port.connected, control.connected]),
      inbox.ended.then((error) => Promise.reject(error)),
    ])
    portSocket.on(
      'data',
      messageReader<GuestMessage>((message) => inbox.put(message)),
    )
    return {
      qmp: await speakQmp(qmpSocket),
      socketPath,
      send: (message) => portSocket.write(`${JSON.stringify(message)}\n`),
      next: () => inbox.next(),
      console: printed,
      end,
    }
  } catch (error) {
    await end()
    throw error
  }
}

function wires(socketPath: (name: string) => string, consolePath: string, portFirst: boolean): string[] {
  const console = ['-chardev', `file,id=console,path=${consolePath}`, '-serial', 'chardev:console']
  const port = ['-chardev', `socket,id=port,path=${socketPath('port')}`, '-serial', 'chardev:port']
  return [
    ...['-nodefaults', '-no-reboot', '-display', 'none', '-accel', 'tcg'],
    ...(portFirst ? [...port, ...console] : [...console, ...port]),
    ...['-chardev', `socket,id=qmp,path=${socketPath('qmp')}`, '-mon', 'chardev=qmp,mode=control'],
  ]
}

function watch(child: ChildProcess, { qemu, limitMs }: MachineOptions, inbox: Inbox, printed: () => string): void {
  let said = ''
  const timer = setTimeout(() => {
    said += `ended: the machine's limit of ${limitMs / 1000} s has passed`
    child.kill('SIGKILL')
  }, limitMs)
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said += chunk
    })
  }
  const ended = (how: string) => {
    clearTimeout(timer)
    process.off('exit', kill)
    inbox.close(new Error(`${qemu.command} ended with ${how} ${said}\n${printed()}`))
  }
  child.once('error', (error) => ended(error.message))
  child.once('exit', (code, signal) => ended(String(code ?? signal)))
}

/** What the guest has said and nobody has taken yet. */
class Inbox {
  readonly #messages: GuestMessage[] = []
  #taker: { resolve: (message: GuestMessage) => void; reject: (error: Error) => void } | undefined
  #error: Error | undefined
  #tellEnd: (error: Error) => void = () => {}
  readonly ended = new Promise<Error>((resolve) => {
    this.#tellEnd = resolve
  })

  put(message: GuestMessage): void {
    if (this.#taker === undefined) this.#messages.push(message)
    else this.#taker.resolve(message)
    this.#taker = undefined
  }

  close(error: Error): void {
    this.#error = error
    this.#taker?.reject(error)
    this.#tellEnd(error)
  }

  next(): Promise<GuestMessage> {
    const message = this.#messages.shift()
    if (message !== undefined) return Promise.resolve(message)
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      this.#taker = { resolve, reject }
    })
  }
}

interface Listening {
  /** The machine's end of the wire. */
  readonly connected: Promise<Socket>
  close(): void
}

async function listen(path: string): Promise<Listening> {
  let socket: Socket | undefined
  const server: Server = createServer()
  const connected = once(server, 'connection').then(([first]) => {
    socket = first as Socket
    // The machine's end, which its process reports, breaks it off.
    socket.on('error', () => socket?.destroy())
    return socket
  })
  server.listen(path)
  await once(server, 'listening')
  return {
    connected,
    close: () => {
      socket?.destroy()
      server.close()
    },
  }
}
