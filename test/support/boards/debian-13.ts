/** Flashing tools that Debian 12 has not: those of Debian 13, unpacked into the cache. */
import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unpackedPackages } from '../kernel/debian-packages.ts'

/**
 * The environment in which `python3 -m esptool` is Espressif's own tool; the stubs that it brings are those that Debian
 * can build. Rejects with `NoArchive`.
 */
export async function esptool(): Promise<Readonly<Record<string, string>>> {
  const names = ['esptool', 'python3-intelhex', 'python3-serial']
  const folder = await unpackedPackages('esptool-4', { architecture: 'amd64', names, trixie: true })
  // Settings of whoever runs this are not looked for.
  const settings = join(await mkdtemp(join(tmpdir(), 'fernlab-esptool-')), 'esptool.cfg')
  await writeFile(settings, '[esptool]\n')
  return {
    PYTHONPATH: join(folder, 'usr/lib/python3/dist-packages'),
    PYTHONDONTWRITEBYTECODE: '1',
    ESPTOOL_CFGFILE: settings,
  }
}

/** A folder whose program `picotool` is Raspberry Pi's own tool, with the libraries that it needs. Rejects with `NoArchive`. */
export async function picotoolFolder(): Promise<string> {
  const names = ['picotool', 'libusb-1.0-0', 'libc6', 'libstdc++6', 'libgcc-s1', 'libudev1', 'libcap2']
  const folder = await unpackedPackages('picotool-2', { architecture: 'amd64', names, trixie: true })
  const libraries = join(folder, 'usr/lib/x86_64-linux-gnu')
  const own = `${libraries}/ld-linux-x86-64.so.2 --library-path ${libraries} ${folder}/usr/bin/picotool`
  const tools = await mkdtemp(join(tmpdir(), 'fernlab-picotool-'))
  await writeFile(join(tools, 'picotool'), `#!/bin/sh\nexec ${own} "$@"\n`)
  await chmod(join(tools, 'picotool'), 0o755)
  return tools
}
