/** The C library as a program of this machine: compiled once a file, started as often as is needed. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const folder = fileURLToPath(new URL('./', import.meta.url))
const strict = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-pedantic']

export interface HostBoard {
  readonly port: number
  /** `reset`, `cut`, `freeze`, `thaw`. */
  say(what: string): void
  stop(): Promise<void>
}

/** Programs made of test/support/firmware/*.c, removed by `remove`. */
export interface HostPrograms {
  /** Compiles `name.c` with more flags; gives the program's path. */
  compile(name: string, ...flags: string[]): Promise<string>
  /** Starts a compiled `board`. */
  start(program: string, ...args: string[]): Promise<HostBoard>
  remove(): Promise<void>
}

/** Makes a folder for programs. */
export function hostPrograms(): HostPrograms {
  let made: Promise<string> | undefined
  let count = 0
  const place = () => {
    made ??= mkdtemp(join(tmpdir(), 'fernlab-firmware-'))
    return made
  }
  return {
    compile: async (name, ...flags) => {
      const program = join(await place(), `${name}-${count++}`)
      await promisify(execFile)('cc', [...strict, '-O2', ...flags, '-o', program, join(folder, `${name}.c`)])
      return program
    },
    start: async (program, ...args) => {
      const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
      const ended = once(child, 'exit')
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      return {
        port: Number(line.toString()),
        say: (what) => void child.stdin.write(`${what}\n`),
        stop: async () => {
          child.stdin.end()
          await ended
        },
      }
    },
    remove: async () => {
      if (made !== undefined) await rm(await made, { recursive: true, force: true })
    },
  }
}
