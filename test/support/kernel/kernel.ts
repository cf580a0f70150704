/** Debian's kernel with its modules, and the simulated GPIO chips that Debian does not build. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cached, ownSource } from './cache.ts'
import { type DebianArchitecture, unpackedPackages } from './debian-packages.ts'
import { runCommand } from './run-command.ts'

export interface Kernel {
  /** `6.1.0-56-amd64` */
  readonly release: string
  readonly imagePath: string
  /** Holds `lib/modules/<release>` with `modules.dep`. */
  readonly moduleRoot: string
  /** Where the descriptions of boards are, on arm64. */
  readonly deviceTrees?: string
}

/** The amd64 kernel of Debian 12 with `gpio-mockup`, `gpio-sim` and their `irq_sim` among its modules. */
export async function amd64Kernel(): Promise<Kernel> {
  const packages = await unpackedPackages('kernel-amd64', {
    architecture: 'amd64',
    versionOf: { meta: 'linux-image-amd64', prefix: 'linux-image-' },
    names: ['linux-image-*'],
  })
  const release = releaseOf(packages)
  const simulated = await simulatedChips(release)
  const moduleRoot = await cached(
    'modules-amd64',
    [packages, simulated, ownSource(import.meta.url)],
    async (folder) => {
      const modules = join(folder, 'lib/modules', release)
      mkdirSync(join(folder, 'lib/modules'), { recursive: true })
      await runCommand('cp', ['-al', join(packages, 'lib/modules', release), modules])
      mkdirSync(join(modules, 'extra'))
      for (const name of readdirSync(simulated)) copyFileSync(join(simulated, name), join(modules, 'extra', name))
      await runCommand(await busyboxPath('amd64'), ['depmod', '-b', folder, release])
    },
  )
  return { release, imagePath: join(packages, 'boot', `vmlinuz-${release}`), moduleRoot }
}

/** The arm64 kernel of Debian 12. */
export async function arm64Kernel(): Promise<Kernel> {
  const packages = await unpackedPackages('kernel-arm64', {
    architecture: 'arm64',
    versionOf: { meta: 'linux-image-arm64', prefix: 'linux-image-' },
    names: ['linux-image-*'],
  })
  const release = releaseOf(packages)
  const moduleRoot = await cached('modules-arm64', [packages, ownSource(import.meta.url)], async (folder) => {
    mkdirSync(join(folder, 'lib/modules'), { recursive: true })
    await runCommand('cp', ['-al', join(packages, 'lib/modules', release), join(folder, 'lib/modules', release)])
    await runCommand(await busyboxPath('amd64'), ['depmod', '-b', folder, release])
  })
  const imagePath = join(packages, 'boot', `vmlinuz-${release}`)
  return { release, imagePath, moduleRoot, deviceTrees: join(packages, 'usr/lib', `linux-image-${release}`) }
}

const releaseOf = (packages: string): string => {
  const [release] = readdirSync(join(packages, 'lib/modules'))
  if (release === undefined) throw new Error(`${packages} holds no kernel modules`)
  return release
}

/** Debian's static busybox, which is the guest's userland and makes its list of modules. */
export async function busyboxPath(architecture: DebianArchitecture): Promise<string> {
  const packages = await unpackedPackages(`busybox-${architecture}`, { architecture, names: ['busybox-static'] })
  return join(packages, 'bin/busybox')
}

/** The folder with the built .ko files. */
async function simulatedChips(release: string): Promise<string> {
  const ingredients = [release, ownSource(import.meta.url)]
  return await cached('simulated-gpio', ingredients, async (folder) => {
    const build = join(folder, 'build')
    mkdirSync(build)
    await takeSources(build)
    const { headers, common } = await kernelHeaders(release)
    writeFileSync(join(build, 'Kbuild'), 'obj-m := gpio-mockup.o gpio-sim.o irq_sim.o\n')
    // By that file, because the one in the folder names the place where a package is installed; with the compiler that
    // is here, because kernel and module need the same only with compiler plug-ins.
    await runCommand('make', ['-C', headers, '-f', join(common, 'Makefile'), `M=${build}`, 'CC=gcc', 'modules'])
    for (const name of readdirSync(build).filter((each) => each.endsWith('.ko'))) {
      await runCommand('strip', ['--strip-debug', '-o', join(folder, name), join(build, name)])
    }
    await runCommand('rm', ['-r', build])
  })
}

async function takeSources(build: string): Promise<void> {
  const packages = await unpackedPackages('kernel-source', { architecture: 'amd64', names: ['linux-source-6.1'] })
  const archive = join(packages, 'usr/src/linux-source-6.1.tar.xz')
  const paths = [
    'drivers/gpio/gpio-mockup.c',
    'drivers/gpio/gpio-sim.c',
    'drivers/gpio/gpiolib.h',
    'kernel/irq/irq_sim.c',
  ]
  await runCommand('tar', ['-xJf', archive, '-C', build, ...paths.map((path) => `linux-source-6.1/${path}`)])
  for (const path of paths) copyFileSync(join(build, 'linux-source-6.1', path), join(build, basename(path)))
  await runCommand('rm', ['-r', join(build, 'linux-source-6.1')])
  // Made for the kernel itself: as a module it names its licence, and reaches a descriptor by what is exported.
  const irqSim = readFileSync(join(build, 'irq_sim.c'), 'utf8')
    .replace('#include <linux/slab.h>', '#include <linux/slab.h>\n#include <linux/module.h>')
    .replace('irq_to_desc(irqnum)', 'irq_data_to_desc(irq_get_irq_data(irqnum))')
  writeFileSync(join(build, 'irq_sim.c'), `${irqSim}\nMODULE_LICENSE("GPL");\n`)
}

/** Debian's kernel headers: what was configured for this kernel, and what all of its version share. */
async function kernelHeaders(release: string): Promise<{ headers: string; common: string }> {
  const version = release.replace(/-amd64$/, '')
  const packages = await unpackedPackages('kernel-headers', {
    architecture: 'amd64',
    names: [`linux-headers-${release}`, `linux-headers-${version}-common`, 'linux-kbuild-6.1'],
  })
  return {
    headers: join(packages, 'usr/src', `linux-headers-${release}`),
    common: join(packages, 'usr/src', `linux-headers-${version}-common`),
  }
}
