/** What a benchmark may use: a folder for its files, the repository, processes of its own. */

import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** A process that this run started; ends with it. */
export interface Started {
  readonly process: ChildProcess
  readonly pid: number
  /** Resolves with the exit code or the signal's name. */
  readonly ended: Promise<string>
  /** SIGTERM, after 5 s SIGKILL, to the whole process group; resolves when the process is gone. */
  end(): Promise<void>
}

export interface StartOptions {
  /** File name of its output in the results folder. */
  readonly log: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** A channel for messages (`process.send`). */
  readonly ipc?: boolean
  /** Its output is a stream for the caller, besides the log. */
  readonly pipeOutput?: boolean
}

/** One benchmark run's surroundings. */
export interface Bench {
  readonly root: string
  /** For data; removed at the end. */
  readonly work: string
  /** For what is kept: raw output of peers and processes. */
  readonly out: string
  /** Whether measured code runs from source (tsx) instead of compiled. */
  readonly fromSource: boolean
  start(command: string, args: readonly string[], options: StartOptions): Started
  say(line: string): void
}

/** The repository's folder, found from this file, compiled or not. */
export function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package-lock.json'))) {
    const parent = dirname(folder)
    if (parent === folder) {
      throw new LabError({ code: 'no-repository', kind: 'configuration', message: 'run this inside the repository' })
    }
    folder = parent
  }
  return folder
}

/** Makes the surroundings; `endAll` ends every process that is still there, and from then on none is started. */
export function createBench(options: {
  root: string
  work: string
  out: string
  say(line: string): void
}): Bench & { endAll(): Promise<void> } {
  const { root, work, out, say } = options
  mkdirSync(out, { recursive: true })
  const running = new Set<Started>()
  let isOver = false
  return {
    root,
    work,
    out,
    say,
    fromSource: import.meta.url.endsWith('.ts'),
    start: (command, args, startOptions) => {
      if (isOver) throw new LabError({ code: 'bench-stopped', kind: 'caller', message: 'the benchmark was stopped' })
      const started = startProcess(command, args, { ...startOptions, out })
      running.add(started)
      void started.ended.then(() => running.delete(started))
      return started
    },
    endAll: async () => {
      isOver = true
      await Promise.all([...running].map((started) => started.end()))
    },
  }
}

function startProcess(command: string, args: readonly string[], options: StartOptions & { out: string }): Started {
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])],
    serialization: 'advanced',
    detached: true, // a group of its own, so that workers of workers end with it
  })
  const log = createWriteStream(join(options.out, options.log), { flags: 'a' })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? String(code)))
  })
  void ended.then(() => log.end())
  return {
    process: child,
    pid: child.pid ?? -1,
    ended,
    end: async () => {
      signalGroup(child, 'SIGTERM')
      const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), 5000)
      await ended
      clearTimeout(timer)
      signalGroup(child, 'SIGKILL') // what it left behind
    },
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** A port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Calls `look` every 50 ms until it gives something; rejects with `what` after `timeoutMs`. */
export async function until<T>(what: string, timeoutMs: number, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > deadline) {
      throw new LabError({ code: 'bench-timeout', kind: 'link', message: `${what} did not happen in ${timeoutMs} ms` })
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
