/** A PC with Debian's amd64 kernel, this machine's Node and the gpiod tools. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guestProject } from './bundle.ts'
import { ownSource } from './cache.ts'
import { NoArchive, unpackedPackages } from './debian-packages.ts'
import { gpiod2Packages, layGpiod2 } from './gpiod-2.ts'
import { guestFiles } from './guest-files.ts'
import { baseArchive, writeInitramfs } from './initramfs.ts'
import { amd64Kernel, busyboxPath } from './kernel.ts'
import { startMachine } from './machine.ts'
import { guestPackages } from './native-packages.ts'
import { openReport, type Report } from './report.ts'
import { runGuests } from './run-guests.ts'
import { copyProgram } from './shared-libraries.ts'

const machineLimitMs = 8 * 60_000
const makingLimitMs = 6 * 60_000
/** udev makes the stable names below /dev/serial. */
const udevPackages = [
  ...['udev', 'libudev1', 'libkmod2', 'libacl1', 'libblkid1', 'libcap2'],
  ...['libselinux1', 'libpcre2-8-0', 'libssl3', 'libzstd1', 'liblzma5'],
]
/** Links stay links, which else would point into this machine's cache. */
const whole = { recursive: true, verbatimSymlinks: true }

/** Boots the machine once and runs the guest test files of a folder in it. */
export async function runOnAmd64(guestFolder: string): Promise<void> {
  const report = openReport()
  report.allow(machineLimitMs + makingLimitMs)
  const folder = mkdtempSync(join(tmpdir(), 'fl-kernel-'))
  try {
    await boot(guestFolder, folder, report)
  } catch (error) {
    if (error instanceof NoArchive) report.cannotRun("needs Debian's archive", error.message)
    else report.fail(guestFolder, '(machine)', error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function boot(guestFolder: string, folder: string, report: Report): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync('/usr/bin/apt-get')) {
    report.cannotRun('needs Linux on amd64 with apt-get', `this is ${process.platform} on ${process.arch}`)
    return
  }
  const guests = await guestFiles(guestFolder)
  const kernel = await amd64Kernel()
  const initramfs = await writeInitramfs(await amd64Base(), kernel, guests, folder)
  const machine = await startMachine({
    command: 'qemu-system-x86_64',
    folder,
    limitMs: machineLimitMs,
    args: [
      ...['-machine', 'q35', '-cpu', 'max', '-smp', '2', '-m', '1024'],
      ...['-kernel', kernel.imagePath, '-initrd', initramfs],
      ...['-append', 'console=ttyS0 loglevel=4 panic=-1 random.trust_cpu=on FERNLAB_PORT=ttyS1'],
      ...['-device', 'qemu-xhci,id=usb'],
    ],
  })
  try {
    await runGuests(machine, guests, report)
  } finally {
    await machine.end()
  }
}

async function amd64Base(): Promise<string> {
  const busybox = await busyboxPath()
  const packages = await guestPackages('x64')
  const tools = await unpackedPackages('gpiod', { architecture: 'amd64', names: ['gpiod', 'libgpiod2'] })
  const newerTools = await gpiod2Packages()
  const udev = await unpackedPackages('udev', { architecture: 'amd64', names: udevPackages })
  return await baseArchive({
    name: 'base-amd64',
    ingredients: [process.version, busybox, packages, tools, newerTools, udev, ownSource(import.meta.url)],
    fill: async (guestRoot) => {
      mkdirSync(join(guestRoot, 'bin'), { recursive: true })
      cpSync(busybox, join(guestRoot, 'bin/busybox'))
      for (const part of ['usr/bin', 'usr/lib']) cpSync(join(tools, part), join(guestRoot, part), whole)
      for (const part of ['bin', 'lib', 'usr/lib']) cpSync(join(udev, part), join(guestRoot, part), whole)
      cpSync(join(packages, 'node_modules'), join(guestRoot, guestProject, 'node_modules'), whole)
      layGpiod2(newerTools, guestRoot)
      await copyProgram(realpathSync(process.execPath), guestRoot, 'usr/bin/node')
      await copyProgram('/usr/bin/setpriv', guestRoot, 'bin/setpriv')
    },
  })
}
