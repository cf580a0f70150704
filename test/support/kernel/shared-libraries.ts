import { cpSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCommand } from './run-command.ts'

/** Copies a program of this machine into a guest's root, with the shared libraries that it loads. */
export async function copyProgram(program: string, guestRoot: string, guestPath: string): Promise<void> {
  const target = join(guestRoot, guestPath)
  mkdirSync(dirname(target), { recursive: true })
  await runCommand('strip', ['--strip-unneeded', '-o', target, program])
  await copyLibraries(program, guestRoot)
}

/** Copies the shared libraries of this machine that these programs and libraries load. */
export async function copyLibraries(program: string, guestRoot: string): Promise<void> {
  for (const line of (await runCommand('ldd', [program])).split('\n')) {
    const path = line.match(/(?:=> )?(\/\S+) \(0x/)?.[1]
    if (path === undefined) continue
    const target = join(guestRoot, path)
    mkdirSync(dirname(target), { recursive: true })
    cpSync(path, target, { dereference: true })
  }
}
