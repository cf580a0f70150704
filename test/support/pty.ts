import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from './source-files.ts'

/** A command on a terminal of its own, at which a test types. */
export interface OnTerminal {
  /** Everything that the terminal has shown, with its control sequences. */
  shown(): string
  type(keys: string): void
  /** Resolves when it has shown what matches. */
  until(pattern: RegExp, limitMs?: number): Promise<void>
  readonly ended: Promise<number | null>
}

export const ctrlC = '\u0003'

/** Runs the `fernlab` command in a pseudo-terminal of 100 columns. */
export function fernlabOnTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): OnTerminal {
  const quoted = [process.execPath, `${root}scripts/cli/fernlab.mjs`, ...args].map((arg) => `'${arg}'`).join(' ')
  const command = `stty cols 100 rows 30; exec ${quoted}`
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    env: { ...env, TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  child.stdout.on('data', (chunk) => {
    shown += chunk
  })
  return {
    shown: () => shown,
    type: (keys) => void child.stdin.write(keys),
    until: async (pattern, limitMs = 30_000) => {
      const deadline = performance.now() + limitMs
      while (!pattern.test(shown)) {
        if (performance.now() > deadline || child.exitCode !== null)
          throw new Error(`the terminal does not show ${pattern}, but\n${shown}`)
        await sleep(20)
      }
    },
    ended: new Promise((resolve) => child.once('close', resolve)),
  }
}
