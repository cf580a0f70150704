/** This machine's ffmpeg for a guest: too much for its memory, so that it is read from here, by 9p. */
import { chmodSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached, ownSource } from './cache.ts'
import { ffmpegFolder, ffmpegTag } from './in-guest/ffmpeg.ts'
import type { QemuProgram } from './qemu.ts'
import { runCommand } from './run-command.ts'
import { copyLibrary, librariesOf } from './shared-libraries.ts'

/** What keeps a machine from having it, as `test/support/skips.json` lists it. */
export type NoFfmpeg = { readonly reason: 'needs ffmpeg' | 'needs 9p in QEMU'; readonly why: string }

/** What QEMU is told so that a guest can mount a folder with ffmpeg and its libraries, to read alone. */
export async function ffmpegShare({ command, args, env }: QemuProgram): Promise<readonly string[] | NoFfmpeg> {
  const programs = await runCommand('sh', ['-c', 'command -v ffmpeg || true'])
  if (programs === '') return { reason: 'needs ffmpeg', why: 'there is none on PATH' }
  const devices = await runCommand(command, [...args, '-device', 'help'], env === undefined ? {} : { env })
  if (!devices.includes('"virtio-9p-pci"'))
    return { reason: 'needs 9p in QEMU', why: `${command} has no virtio-9p-pci` }
  const folder = await withLibraries(realpathSync(programs.trim()))
  return [
    ...['-fsdev', `local,id=ffmpeg,path=${folder},security_model=none,readonly=on`],
    ...['-device', `virtio-9p-pci,fsdev=ffmpeg,mount_tag=${ffmpegTag}`],
  ]
}

/** The folder with the program, all that it loads, and `bin/ffmpeg`, which starts it with these. */
async function withLibraries(program: string): Promise<string> {
  const libraries = await librariesOf(program)
  const versions = [program, ...libraries].map((path) => {
    const { size, mtimeMs } = statSync(path)
    return `${path} ${size} ${mtimeMs}`
  })
  return await cached('ffmpeg', [versions.join('\n'), ownSource(import.meta.url)], async (folder) => {
    for (const part of ['bin', 'lib']) mkdirSync(join(folder, part))
    copyLibrary(program, join(folder, 'ffmpeg'))
    for (const path of libraries) copyLibrary(path, join(folder, 'lib', path.slice(path.lastIndexOf('/') + 1)))
    const lib = `${ffmpegFolder}/lib`
    const start = join(folder, 'bin/ffmpeg')
    writeFileSync(
      start,
      `#!/bin/sh\nexec ${lib}/ld-linux-x86-64.so.2 --library-path ${lib} ${ffmpegFolder}/ffmpeg "$@"\n`,
    )
    chmodSync(start, 0o755)
  })
}
