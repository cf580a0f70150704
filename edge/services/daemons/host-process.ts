/**
 * One run of a daemon: the process, the link to it, and what it writes.
 *
 * INVARIANTS: nothing of it outlives `stop`, what it has started in its process group included; it ends when the node does,
 * however that ends; it is given no secret of the node (its environment is made anew); what it writes is bounded before it
 * is kept or logged, and one that writes without end is slowed down.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { greetedLink } from '@fernlab/shared/links/unix-socket/unix-socket-link'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { createPeer, type Peer } from '@fernlab/shared/rpc/peer/peer'
import { inheritedEnv, killGroup } from '../../drivers/child-group.ts'
import { cannotStart } from '../../drivers/process/child.ts'
import { createLineCutter } from './log-lines.ts'

export interface HostProcessOptions {
  readonly command: readonly [string, ...string[]]
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly onLine: (from: 'output' | 'errors', text: string) => void
  /** It can be spoken to. */
  readonly onPeer: (peer: Peer) => void
  /** It has ended; told once, with why, and with its last words where it ended by itself. */
  readonly onEnd: (reason: string, words: string | undefined) => void
}

export interface HostProcess {
  readonly pid: number | undefined
  /** What it has of the memory now, in bytes; undefined where that can't be told. */
  memoryBytes(): Promise<number | undefined>
  /** Ends it and all that it started at once; `reason` is what `onEnd` tells. */
  kill(reason: string): void
  /** Has it close its services and end; ends it when that takes longer than `graceMs`. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>
}

/** Compiling takes its time on a small machine. */
export const START_MS = 60_000
const LAST_WORDS_MS = 200
const SETPRIV = '/usr/bin/setpriv'
const BYTES_A_PAUSE = 4 * 1024 * 1024
const PAUSE_MS = 1000
/** The descriptor by which host and node speak. */
const LINK_FD = 3

/** Starts it without a shell; one that can't be started has ended with that as the reason. */
export function startHostProcess(options: HostProcessOptions): HostProcess {
  const { command, folder, clock, onLine } = options
  // The kernel ends it with the node, also one that hears nothing any more.
  const [file, ...args] = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--', ...command] : command
  // A group of its own: what it starts is ended with it, and Ctrl-C at the node's terminal is the node's to handle.
  const child = spawn(file as string, args, {
    cwd: folder,
    env: { PYTHONUNBUFFERED: '1', ...inheritedEnv(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let reason: string | undefined
  let said: string | undefined
  let peer: Peer | undefined
  const { stdout, stderr } = child as ChildProcess & { stdout: Readable; stderr: Readable }
  const endOutput = cutInto(stdout, clock, (text) => onLine('output', text))
  const endErrors = cutInto(stderr, clock, (text) => {
    said = text.trim().slice(0, 300)
    onLine('errors', text)
  })
  const ended = new Promise<void>((resolve) => {
    const end = (why: string, words?: string) => {
      endOutput()
      endErrors()
      options.onEnd(reason ?? why, reason === undefined ? words : undefined)
      resolve()
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) end(cannotStart(command, folder, error))
    })
    // After its output has been read to the end, so that its last words are known.
    child.once('close', (code, signal) => {
      if (signal === null) end(`its process exited with code ${code}`, said)
      else end(`its process was ended by ${signal}`)
    })
    child.once('exit', () => {
      killGroup(child.pid)
      void peer?.close('its process has ended')
      stdout.resume()
      stderr.resume()
      // What has left its group may hold its output open.
      clock.after(LAST_WORDS_MS, () => {
        for (const stream of child.stdio) stream?.destroy()
      })
    })
  })
  const kill = (why: string) => {
    reason ??= why
    killGroup(child.pid)
  }
  const socket = child.stdio[LINK_FD] as Socket
  // One that could not be started has a socket that breaks.
  socket.on('error', () => {})
  const onLink = (link: Parameters<typeof createPeer>[0]['link']) => {
    peer = createPeer({ link, clock })
    options.onPeer(peer)
  }
  greetedLink(socket, clock, onLink, START_MS)
  return {
    pid: child.pid,
    memoryBytes: () => residentBytes(child.pid),
    kill,
    stop: async (graceMs) => {
      const cancel = clock.after(graceMs, () => kill(`its process did not end within ${graceMs / 1000} s`))
      if (peer === undefined) kill('it was stopped')
      // It ends when nobody speaks to it any more.
      else await peer.call('host.close', undefined, { timeoutMs: graceMs }).catch(() => {})
      await peer?.close('the daemon is stopped')
      await ended
      cancel()
    },
  }
}

/** Reads a stream as lines, not faster than a few MB a second; the returned function tells the last one. */
function cutInto(stream: Readable, clock: Clock, line: (text: string) => void): () => void {
  const cutter = createLineCutter(line)
  let bytes = 0
  stream.on('data', (piece: Buffer) => {
    cutter.take(piece)
    bytes += piece.length
    if (bytes < BYTES_A_PAUSE) return
    bytes = 0
    stream.pause()
    clock.after(PAUSE_MS, () => stream.resume())
  })
  return cutter.end
}

async function residentBytes(pid: number | undefined): Promise<number | undefined> {
  // Elsewhere than on Linux, and when it has just ended, there is no such file.
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kB = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kB === undefined ? undefined : Number(kB) * 1024
}
