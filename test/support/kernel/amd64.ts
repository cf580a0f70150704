/** A PC with Debian's amd64 kernel, this machine's Node and the gpiod tools. */
import { cpSync, mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { guestProject } from './bundle.ts'
import { ownSource } from './cache.ts'
import { unpackedPackages } from './debian-packages.ts'
import { ffmpegShare } from './ffmpeg.ts'
import { gpiod2Packages, layGpiod2 } from './gpiod-2.ts'
import type { GuestMachine } from './guest-machine.ts'
import { baseArchive, whole } from './initramfs.ts'
import { amd64Kernel, busyboxPath } from './kernel.ts'
import { guestPackages } from './native-packages.ts'
import { copyProgram } from './shared-libraries.ts'

/** udev makes the stable names below /dev/serial. */
const udevPackages = [
  ...['udev', 'libudev1', 'libkmod2', 'libacl1', 'libblkid1', 'libcap2'],
  ...['libselinux1', 'libpcre2-8-0', 'libssl3', 'libzstd1', 'liblzma5'],
]

/** What USB instruments are spoken to by: Python with the modules that are compiled into it. */
const pythonPackages = ['python3.11-minimal', 'libpython3.11-minimal', 'libexpat1', 'zlib1g']

/** A PC with two cores, a console, USB, and a network adapter behind which 10.0.2.2 is this machine. */
export const pc: GuestMachine = {
  qemu: async () => ({ command: 'qemu-system-x86_64', args: [] }),
  kernel: amd64Kernel,
  base: amd64Base,
  ffmpeg: ffmpegShare,
  args: (kernel, initramfs) => [
    ...['-machine', 'q35', '-cpu', 'max', '-smp', '2', '-m', '1024'],
    ...['-kernel', kernel.imagePath, '-initrd', initramfs],
    ...['-append', 'console=ttyS0 loglevel=5 panic=-1 random.trust_cpu=on net.ifnames=0 FERNLAB_PORT=ttyS1'],
    ...['-device', 'qemu-xhci,id=usb'],
    ...['-netdev', 'user,id=outside', '-device', 'virtio-net-pci,netdev=outside'],
  ],
}

async function amd64Base(): Promise<string> {
  const busybox = await busyboxPath('amd64')
  const packages = await guestPackages('x64')
  const tools = await unpackedPackages('gpiod', { architecture: 'amd64', names: ['gpiod', 'libgpiod2'] })
  const newerTools = await gpiod2Packages()
  const udev = await unpackedPackages('udev', { architecture: 'amd64', names: udevPackages })
  const python = await unpackedPackages('python', { architecture: 'amd64', names: pythonPackages })
  return await baseArchive({
    name: 'base-amd64',
    ingredients: [process.version, busybox, packages, tools, newerTools, udev, python, ownSource(import.meta.url)],
    fill: async (guestRoot) => {
      mkdirSync(join(guestRoot, 'bin'), { recursive: true })
      cpSync(busybox, join(guestRoot, 'bin/busybox'))
      for (const part of ['usr/bin', 'usr/lib']) cpSync(join(tools, part), join(guestRoot, part), whole)
      for (const part of ['bin', 'lib', 'usr/lib']) cpSync(join(udev, part), join(guestRoot, part), whole)
      for (const part of ['lib', 'usr/lib']) cpSync(join(python, part), join(guestRoot, part), whole)
      cpSync(join(python, 'usr/bin/python3.11'), join(guestRoot, 'usr/bin/python3'))
      cpSync(join(packages, 'node_modules'), join(guestRoot, guestProject, 'node_modules'), whole)
      layGpiod2(newerTools, guestRoot)
      await copyProgram(realpathSync(process.execPath), guestRoot, 'usr/bin/node')
      await copyProgram('/usr/bin/setpriv', guestRoot, 'bin/setpriv')
    },
  })
}
