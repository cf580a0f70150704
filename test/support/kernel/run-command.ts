import { execFile } from 'node:child_process'

export interface CommandOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a program to its end and gives its standard output; rejects with what it said when it fails. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const env = { ...process.env, LC_ALL: 'C', ...options.env }
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      { ...options, env, maxBuffer: 64 * 1024 * 1024, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`${command} ${args.join(' ')} failed: ${`${stdout}\n${stderr}`.trim().slice(-4000)}`))
      },
    )
    child.stdin?.end()
  })
}
