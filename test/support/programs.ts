/** The programs that a person starts, as processes of their own that are found and ended by their data folder. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './source-files.ts'

export interface Program {
  /** Of the process that was started, and of its group. */
  readonly pid: number
  output(): string
  /** What of it went to standard error. */
  errors(): string
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>
}

/** Starts a program in a process group of its own, as a shell does. */
export function startProgram(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string = root,
): Program {
  // Nothing of the npm that runs the tests: a program that sees it watches for its end.
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|FERNLAB_|CI$|INIT_CWD$)/.test(name)),
  )
  const child = spawn(command, args, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...inherited, FERNLAB_PORT: '0', FERNLAB_MQTT_PORT: '0', ...env },
  })
  let text = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  child.stderr.on('data', (chunk) => {
    text += chunk
    errors += chunk
  })
  return {
    pid: child.pid ?? -1,
    output: () => text,
    errors: () => errors,
    ended: new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? 'lost'))
    }),
  }
}

/** The processes whose environment has this FERNLAB_DATA. */
export function processesOn(dataFolder: string): number[] {
  const wanted = `FERNLAB_DATA=${dataFolder}`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readIfThere(`/proc/${pid}/environ`).split('\0').includes(wanted))
    .map(Number)
}

/** Resolves when none of them is left, with how long that took; rejects after `limitMs`. */
export async function untilGone(dataFolder: string, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs
  while (processesOn(dataFolder).length > 0) {
    if (performance.now() > deadline) throw new Error(`still there after ${limitMs} ms: ${commands(dataFolder)}`)
    await sleep(25)
  }
}

/** Ends whatever a failed test left. */
export function killAll(dataFolder: string): void {
  for (const pid of processesOn(dataFolder)) process.kill(pid, 'SIGKILL')
}

/** Resolves when the program has printed what matches; rejects with its output when it ends first. */
export async function untilPrinted(program: Program, pattern: RegExp, limitMs = 60_000): Promise<RegExpMatchArray> {
  const deadline = performance.now() + limitMs
  let end: number | string | undefined
  void program.ended.then((how) => {
    end = how
  })
  for (;;) {
    const match = program.output().match(pattern)
    if (match !== null) return match
    if (end !== undefined) throw new Error(`it ended with ${end} before it printed ${pattern}\n${program.output()}`)
    if (performance.now() > deadline) throw new Error(`it did not print ${pattern}\n${program.output()}`)
    await sleep(25)
  }
}

const commands = (dataFolder: string): string =>
  processesOn(dataFolder)
    .map((pid) => readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
    .join('; ')

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // Gone meanwhile, or of somebody else.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}
