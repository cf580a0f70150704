import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How a command ended and what it wrote. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly signal?: AbortSignal
  /** What comes on standard input; without it there is none. */
  readonly input?: string
  /** Calls back with what was written to standard output so far. */
  readonly onOutput?: (out: string, interrupt: () => void) => void
}

const cli = fileURLToPath(new URL('../../scripts/cli/fernlab.mjs', import.meta.url))

/** Runs a command to its end; never rejects for a bad exit code. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      signal: options.signal,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.stdin.end(options.input)
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
      options.onOutput?.(out, () => child.kill('SIGINT'))
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, out, err }))
  })
}

/** Runs the `fernlab` command. */
export const fernlab = (args: readonly string[], options: CommandOptions = {}): Promise<Ended> =>
  runCommand(process.execPath, [cli, ...args], options)
