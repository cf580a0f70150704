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
  for (const path of await librariesOf(program)) copyLibrary(path, join(guestRoot, path))
}

/** The paths on this machine of the shared libraries that a program or library loads, its loader among them. */
export async function librariesOf(program: string): Promise<string[]> {
  const lines = (await runCommand('ldd', [program])).split('\n')
  return lines.flatMap((line) => line.match(/(?:=> )?(\/\S+) \(0x/)?.[1] ?? [])
}

/** Copies a file that may be a link, as what it leads to. */
export function copyLibrary(path: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true })
  cpSync(path, target, { dereference: true })
}
