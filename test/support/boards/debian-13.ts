/** Flashing tools that Debian 12 has not: those of Debian 13, unpacked into the cache. */
import { mkdtemp, writeFile } from 'node:fs/promises'
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
