/** The gpiod tools of version 2, which Debian 12 has not: those of Debian 13, with the C library that they need. */
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unpackedPackages } from './debian-packages.ts'

/** Where the guest has them, as programs to be found first on the path. */
export const gpiod2Path = '/opt/gpiod-2/bin'

const tools = ['gpiodetect', 'gpioget', 'gpioinfo', 'gpiomon', 'gpioset']
const libraries = ['libgpiod.so.3', 'libc.so.6']
const loader = 'ld-linux-x86-64.so.2'

/** The folder that holds the unpacked packages. */
export const gpiod2Packages = (): Promise<string> =>
  unpackedPackages('gpiod-2', { architecture: 'amd64', names: ['gpiod', 'libgpiod3', 'libc6'], trixie: true })

/** Lays the tools into a guest's root. */
export function layGpiod2(packages: string, guestRoot: string): void {
  const home = '/opt/gpiod-2'
  const from = join(packages, 'usr/lib/x86_64-linux-gnu')
  for (const folder of ['bin', 'lib', 'tools']) mkdirSync(join(guestRoot, home, folder), { recursive: true })
  for (const library of [...libraries, loader]) {
    cpSync(join(from, library), join(guestRoot, home, 'lib', library), { dereference: true })
  }
  for (const tool of tools) {
    cpSync(join(packages, 'usr/bin', tool), join(guestRoot, home, 'tools', tool))
    const program = join(guestRoot, gpiod2Path, tool)
    const own = `${home}/lib/${loader} --library-path ${home}/lib ${home}/tools/${tool}`
    writeFileSync(program, `#!/bin/sh\nexec ${own} "$@"\n`)
    chmodSync(program, 0o755)
  }
}
