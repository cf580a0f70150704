/** Raspberry Pi's Pico and its kin: by the drive of their boot loaders, and by the real picotool. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { boardKind, type PicoBoard } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { readFirmware } from '@fernlab/firmware-bridge/flashing/firmware-file'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import type { FlashJob, FlashProgress, FlashResult } from '@fernlab/firmware-bridge/flashing/flasher'
import { appearingDrive } from '@fernlab/firmware-bridge/flashing/uf2/drive'
import { createPicoFlasher } from '@fernlab/firmware-bridge/flashing/uf2/pico-flasher'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { picotoolFolder } from '../../support/boards/debian-13.ts'
import { picoDrive } from '../../support/boards/pico-drive.ts'
import { firmwareBytes, uf2Of } from '../../support/boards/uf2-file.ts'
import { type UsbTree, usbTree } from '../../support/boards/usb-tree.ts'
import { NoArchive } from '../../support/kernel/debian-packages.ts'
import { suite } from '../../support/suite.ts'

const test = suite('flashing of a Pico', { timeoutMs: 60_000 })
const run = promisify(execFile)
const RP2040 = 0xe48bff56
const RP2350 = 0xe48bff59
const firmware = firmwareBytes(40_000 - (40_000 % 256))
const folder = await mkdtemp(join(tmpdir(), 'fernlab-pico-test-'))
const openTransport = createOpenTransport({
  worlds: createWorlds({ clock: systemClock }),
  clock: systemClock,
  log: silentLog,
})
/** Waits for what never comes are over sooner. */
const hasty: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() * 20 }

function job(path: string, signal: AbortSignal, more: Partial<FlashJob> = {}): FlashJob {
  const board = boardKind('pico')
  return {
    transport: transportConfigSchema.parse({ kind: 'serial', path }),
    openTransport,
    board,
    image: readFirmware(uf2Of(firmware, RP2040), board, 'blink.uf2'),
    onlyIfDifferent: false,
    clock: systemClock,
    log: silentLog,
    signal,
    onProgress: () => {},
    ...more,
  }
}

async function failure(work: Promise<unknown>): Promise<LabError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof LabError)) throw new Error(`no LabError: ${error}`)
  return error
}

test('its drive takes the file whole, and is gone', async ({ signal }) => {
  for (const [kind, boardId, family] of [
    ['pico', 'RPI-RP2', RP2040],
    ['pico2', 'RP2350', RP2350],
  ] as const) {
    const drive = picoDrive(boardId, [family])
    const progress: FlashProgress[] = []
    const board = boardKind(kind)
    const image = readFirmware(uf2Of(firmware, family), board, 'blink.uf2')
    const onProgress = (each: FlashProgress) => void progress.push(each)
    assert.equal(await flash(job(drive.folder, signal, { board, image, onProgress })), { written: true })
    assert.equal([...new Set(progress.map(({ step }) => step))], ['connecting', 'writing'])
    assert.is(progress.at(-1)?.done, firmware.length)
    assert.ok(Buffer.from(firmware).equals(drive.flash()))
    assert.not(existsSync(drive.folder))
  }
})

test('a drive of another board, a folder that is none, and a comparison are refused, and nothing is written', async ({
  signal,
}) => {
  const drive = picoDrive('RP2350', [RP2350])
  const other = await failure(flash(job(drive.folder, signal), 1))
  assert.is(other.code, 'board-differs')
  assert.match(other.message, /says that it is RP2350, and the Raspberry Pi Pico says RPI-RP2; nothing was written/)
  assert.not(existsSync(join(drive.folder, 'firmware.uf2')))
  drive.close()
  const plain = await failure(flash(job(folder, signal), 1))
  assert.match(plain.message, /is not the drive of a Raspberry Pi Pico, which has INFO_UF2\.TXT and the label RPI-RP2/)
  const pico = picoDrive('RPI-RP2', [RP2040])
  const compared = await failure(flash(job(pico.folder, signal, { onlyIfDifferent: true }), 1))
  assert.is(compared.code, 'board-incomparable')
  assert.match(compared.message, /sudo apt install picotool/)
  pico.close()
  const far = await failure(flash(job('/x', signal, { transport: { kind: 'tcp', host: '127.0.0.1', port: 1 } }), 1))
  assert.is(far.code, 'board-not-here')
})

test('a plug that is pulled in the middle, and a boot loader that does not start it, are told', async ({ signal }) => {
  const pulled = picoDrive('RPI-RP2', [RP2040])
  const pull = { onProgress: ({ done }: FlashProgress) => void (done > 5000 && pulled.close()) }
  const lost = await failure(flash(job(pulled.folder, signal, pull), 1))
  assert.is(lost.code, 'flash-failed')
  assert.match(lost.message, /was gone before all was written; the board has no whole firmware now/)
  const deaf = picoDrive('RPI-RP2', [])
  const stays = await failure(flash(job(deaf.folder, signal, { clock: hasty }), 1))
  assert.match(stays.message, /has the file and does not start it/)
  deaf.close()
})

test('a drive that is mounted is found by what it says, whatever its folder is called', async ({ signal }) => {
  const drive = picoDrive('RPI-RP2', [RP2040])
  const media = join(folder, 'media of ada')
  await mkdir(media)
  await writeFile(join(media, 'INFO_UF2.TXT'), 'UF2 Bootloader v1.0\nModel: Trinket\nBoard-ID: SAMD21E18A\n')
  const mounts = join(folder, 'mounts')
  const line = (path: string, n: number) => `/dev/sd${n} ${path.replaceAll(' ', '\\040')} vfat rw,nosuid 0 0\n`
  await writeFile(mounts, `proc /proc proc rw 0 0\n${line(media, 1)}${line('/nowhere', 2)}${line(drive.folder, 3)}`)
  const any = async () => true
  assert.is(await appearingDrive('RPI-RP2', any, systemClock, signal, mounts), drive.folder)
  assert.is(await appearingDrive('SAMD21E18A', any, systemClock, signal, mounts), media)
  assert.is(await appearingDrive('RP2350', any, hasty, signal, mounts), undefined)
  const asked: string[] = []
  const none = async ({ device }: { device: string }) => asked.push(device) < 0
  assert.is(await appearingDrive('RPI-RP2', none, hasty, signal, mounts), undefined)
  assert.equal([...new Set(asked)], ['/dev/sd3'])
  drive.close()
})

test('a drive that may not be written to, or is mounted read-only, is told with the line to type', async ({
  signal,
}) => {
  const drive = picoDrive('RPI-RP2', [RP2040])
  await chmod(drive.folder, 0o555)
  await chmod(join(drive.folder, 'INFO_UF2.TXT'), 0o444)
  // Root may write everywhere.
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    const error = await failure(flash(job(drive.folder, signal), 1))
    assert.is(error.code, 'drive-not-writable')
    assert.match(error.message, /may not write there, .*sudo mount -o uid=\S+ \/dev\/disk\/by-label\/RPI-RP2 /)
    assert.is(error.details.spoilt, undefined)
  } finally {
    if (isRoot) process.seteuid?.(0)
    await chmod(drive.folder, 0o755)
    drive.close()
  }
})

test('a drive that only others may read is passed over', async ({ signal }) => {
  const drive = picoDrive('RPI-RP2', [RP2040])
  await chmod(drive.folder, 0o755)
  const open = await mkdtemp(join(tmpdir(), 'fernlab-mounts-'))
  await chmod(open, 0o755)
  const efi = join(open, 'efi')
  await mkdir(efi, { mode: 0o700 })
  const mounts = join(open, 'mounts')
  await writeFile(mounts, [efi, drive.folder].map((path) => `/dev/sda1 ${path} vfat rw 0 0\n`).join(''))
  // Root may read everything.
  const isRoot = process.getuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  else await chmod(efi, 0)
  try {
    assert.is(await appearingDrive('RPI-RP2', async () => true, hasty, signal, mounts), drive.folder)
  } finally {
    if (isRoot) process.seteuid?.(0)
    drive.close()
    await rm(open, { recursive: true })
  }
})

const tools = await picotoolFolder().catch((error: unknown) => {
  if (error instanceof NoArchive) return undefined
  throw error
})

/** A serial port with nothing at it. */
async function pseudoPort(signal: AbortSignal) {
  const link = join(await mkdtemp(join(tmpdir(), 'fernlab-pico-')), 'tty')
  const pty = spawn('socat', ['STDIO', `pty,raw,echo=0,link=${link}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(pty, 'close')
  while (!existsSync(link)) await systemClock.sleep(10, signal)
  const end = async () => {
    pty.kill()
    await ended
  }
  return { link, end }
}

const RUNNING = { idVendor: '2e8a', idProduct: '000a', serial: 'E66058919B5F4F21' }
const BOOT_RP2040 = { idVendor: '2e8a', idProduct: '0003', serial: 'E0C9125B0D9B' }
const BOOT_RP2350 = { idVendor: '2e8a', idProduct: '000f', serial: '62F1B2A40D5C3E77' }
const NOWHERE = '/nonexistent'

/** Flashes with that PATH, in a machine with these sockets. */
async function flashIn(tree: UsbTree, path: string, asked: FlashJob): Promise<FlashResult> {
  const before = process.env.PATH
  process.env.PATH = path
  try {
    return await createPicoFlasher(tree).flash({ ...asked, board: asked.board as PicoBoard })
  } finally {
    process.env.PATH = before
  }
}

test('a port that is there and can not be opened is told, and no other board is looked for', async ({ signal }) => {
  const { link, end } = await pseudoPort(signal)
  const holder = await openTransport(transportConfigSchema.parse({ kind: 'serial', path: link }), signal)
  const tree = usbTree()
  tree.plug('1-1.4', RUNNING)
  tree.port('1-1.4', await realpath(link))
  const { code, message } = await failure(flashIn(tree, NOWHERE, job(link, signal, { clock: hasty })))
  assert.is(code, 'transport-unreachable')
  assert.match(message, /another program has it/)
  await holder.close()
  const notOnUsb = await failure(flash(job(link, signal), 1))
  assert.is(notOnUsb.code, 'board-not-here')
  await end()
})

/** A board with a serial port at socket 1-1.4, which does this when it is touched; gives what it was opened with. */
async function touched(signal: AbortSignal, path: string, onTouch: (tree: UsbTree) => void) {
  const tree = usbTree()
  const { link, end } = await pseudoPort(signal)
  tree.plug('1-1.4', RUNNING)
  tree.port('1-1.4', await realpath(link))
  const speeds: number[] = []
  const asked = job(link, signal, {
    clock: hasty,
    openTransport: async (config, within) => {
      if (config.kind === 'serial') speeds.push(config.baudRate)
      const opened = await openTransport(config, within)
      return {
        ...opened,
        close: async () => {
          await opened.close()
          onTouch(tree)
        },
      }
    },
  })
  const result = await flashIn(tree, path, asked).catch((thrown: unknown) => thrown)
  await end()
  return { speeds, result }
}

test('a port is opened at 1200 baud to start the boot loader; one that stays away is told what to do', async ({
  signal,
}) => {
  const { speeds, result } = await touched(signal, NOWHERE, (tree) => {
    tree.plug('1-1.2', BOOT_RP2040)
  })
  assert.equal(speeds, [1200])
  assert.instance(result, LabError)
  assert.is((result as LabError).code, 'board-silent')
  assert.match(
    (result as LabError).message,
    /hold its BOOTSEL button.*at the USB socket 1-1\.2 may be another board, and was left alone$/,
  )
})

test('without picotool the drive at the socket of the port is written, and no other', async ({ signal }) => {
  const [mine, other] = [picoDrive('RPI-RP2', [RP2040]), picoDrive('RPI-RP2', [RP2040])]
  const { result } = await touched(signal, NOWHERE, (tree) => {
    tree.plug('1-1.2', BOOT_RP2040)
    tree.drive('1-1.2', '/dev/sda1', other.folder)
    tree.pull('1-1.4')
    tree.plug('1-1.4', BOOT_RP2040)
    tree.drive('1-1.4', '/dev/sdb1', mine.folder)
  })
  assert.equal(result, { written: true })
  assert.ok(Buffer.from(firmware).equals(mine.flash()))
  assert.is(other.flash().length, 0)
  other.close()
  const unmounted = await touched(signal, NOWHERE, (tree) => {
    tree.pull('1-1.4')
    tree.plug('1-1.4', BOOT_RP2040)
  })
  assert.match(String(unmounted.result), /at the USB socket 1-1\.4, and its drive RPI-RP2 is not mounted/)
})

test('a Pico of the other kind at the socket is refused', async ({ signal }) => {
  const { result } = await touched(signal, NOWHERE, (tree) => {
    tree.pull('1-1.4')
    tree.plug('1-1.4', BOOT_RP2350)
  })
  assert.is((result as LabError).code, 'board-differs')
  assert.match((result as LabError).message, /nothing was written/)
})

test('a port that is not there is known by its socket or its number, and by nothing else', async ({ signal }) => {
  const pci = '/dev/serial/by-path/pci-0000:01:00.0-usb-0:1.4:1.0'
  const cases: readonly (readonly [string, typeof BOOT_RP2350, boolean])[] = [
    [pci, BOOT_RP2040, true],
    ['/dev/serial/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usbv2-0:1.4:1.0', BOOT_RP2040, true],
    ['/dev/serial/by-path/pci-0000:01:00.0-usb-0:1.3:1.0', BOOT_RP2040, false],
    ['/dev/serial/by-path/pci-0000:02:00.0-usb-0:1.4:1.0', BOOT_RP2040, false],
    ['/dev/serial/by-id/usb-Raspberry_Pi_Pico_62F1B2A40D5C3E77-if00', BOOT_RP2350, true],
    ['/dev/serial/by-id/usb-Raspberry_Pi_Pico_E66058919B5F4F21-if00', BOOT_RP2040, false],
    ['/dev/serial/by-id/usb-Raspberry_Pi_Pico_E0C9125B0D9B-if00', BOOT_RP2040, false],
    ['/dev/ttyACM7', BOOT_RP2040, false],
  ]
  for (const [path, attributes, taken] of cases) {
    const tree = usbTree()
    const isOne = attributes === BOOT_RP2040
    const [boardId, family] = isOne ? (['RPI-RP2', RP2040] as const) : (['RP2350', RP2350] as const)
    const drive = picoDrive(boardId, [family])
    tree.plug('1-1.4', attributes)
    tree.drive('1-1.4', '/dev/sda1', drive.folder)
    const board = boardKind(isOne ? 'pico' : 'pico2')
    const image = readFirmware(uf2Of(firmware, family), board, 'blink.uf2')
    const result = await flashIn(tree, NOWHERE, job(path, signal, { board, image, clock: hasty })).catch(String)
    if (taken) assert.equal(result, { written: true }, path)
    else assert.match(String(result), /USB socket 1-1\.4 may be another board, and was left alone$/, path)
    assert.is(drive.flash().length, taken ? firmware.length : 0)
    drive.close()
  }
  const plain = await flashIn(usbTree(), NOWHERE, job('/dev/ttyACM7', signal)).catch(String)
  assert.match(String(plain), /does not tell which board .* name the socket .*by-path.*without BOOTSEL$/)
})

test('a board that a try left in its boot loader is found by the next one at the socket of its port', async ({
  signal,
}) => {
  const tree = usbTree()
  const { link, end } = await pseudoPort(signal)
  tree.plug('1-1.4', RUNNING)
  tree.port('1-1.4', await realpath(link))
  const flasher = createPicoFlasher(tree)
  const asked = { ...job(link, signal, { clock: hasty }), board: boardKind('pico') as PicoBoard }
  assert.match(String(await failure(flasher.flash(asked))), /does not show its boot loader/)
  await end()
  assert.not(existsSync(link))
  tree.pull('1-1.4')
  const { bus, address } = tree.plug('1-1.4', BOOT_RP2040)
  const { tool, said } = await writtenTool('')
  const before = process.env.PATH
  process.env.PATH = `${tool}:${before}`
  try {
    assert.equal(await flasher.flash(asked), { written: true })
  } finally {
    process.env.PATH = before
  }
  const which = `--bus ${bus} --address ${address}`
  assert.equal(await said(), ['version', `info ${which}`, `load -v -x FILE ${which}`])
})

test('a board that has taken over the name of the port meanwhile is neither touched nor written', async ({
  signal,
}) => {
  const tree = usbTree()
  const [mine, theirs] = [await pseudoPort(signal), await pseudoPort(signal)]
  const paths = [await realpath(mine.link), await realpath(theirs.link)] as const
  tree.plug('1-1.4', RUNNING)
  tree.port('1-1.4', paths[0])
  tree.plug('1-1.2', RUNNING)
  tree.port('1-1.2', paths[1])
  const opened: string[] = []
  const noting: FlashJob['openTransport'] = async (config, within) => {
    opened.push(config.kind === 'serial' ? await realpath(config.path) : config.kind)
    return await openTransport(config, within)
  }
  const flasher = createPicoFlasher(tree)
  const asked = {
    ...job(mine.link, signal, { clock: hasty, openTransport: noting }),
    board: boardKind('pico') as PicoBoard,
  }
  assert.match(String(await failure(flasher.flash(asked))), /does not show its boot loader/)
  tree.pull('1-1.4')
  const { bus, address } = tree.plug('1-1.4', BOOT_RP2040)
  await rm(mine.link)
  await symlink(paths[1], mine.link)
  const { tool, said } = await writtenTool('')
  const before = process.env.PATH
  process.env.PATH = `${tool}:${before}`
  try {
    assert.equal(await flasher.flash(asked), { written: true })
  } finally {
    process.env.PATH = before
  }
  assert.equal(opened, [paths[0]])
  assert.is((await said()).at(-1), `load -v -x FILE --bus ${bus} --address ${address}`)
  await Promise.all([mine.end(), theirs.end()])
})

/** A program that is called picotool and notes what it is told. */
async function writtenTool(more: string) {
  const tool = await mkdtemp(join(tmpdir(), 'fernlab-picotool-'))
  const notes = join(tool, 'notes')
  const script = `#!/bin/sh\necho "$@" >> ${notes}\n${more}\nexit 0\n`
  await writeFile(join(tool, 'picotool'), script, { mode: 0o755 })
  const said = async () =>
    (await readFile(notes, 'utf8'))
      .trim()
      .replaceAll(/\/\S+\.uf2/g, 'FILE')
      .split('\n')
  return { tool, said }
}

test('picotool is told which board it is about, whatever it does', async ({ signal }) => {
  const tree = usbTree()
  const { bus, address } = tree.plug('1-1.4', BOOT_RP2040)
  const path = '/dev/serial/by-path/pci-0000:01:00.0-usb-0:1.4:1.0'
  const { tool, said } = await writtenTool('')
  const asked = job(path, signal, { onlyIfDifferent: true })
  assert.equal(await flashIn(tree, `${tool}:${process.env.PATH}`, asked), { written: false })
  const which = `--bus ${bus} --address ${address}`
  assert.equal(await said(), ['version', `info ${which}`, `verify FILE ${which}`, `reboot ${which}`])
})

if (tools === undefined) test.skip('all of picotool', "needs Debian's archive")
else {
  test('picotool understands how it is told, and its words are passed on', async ({ signal }) => {
    const { result } = await touched(signal, `${tools}:${process.env.PATH}`, (tree) => {
      tree.pull('1-1.4')
      tree.plug('1-1.4', BOOT_RP2040)
    })
    assert.is((result as LabError).code, 'board-silent')
    assert.match((result as LabError).message, /picotool can not reach the board at .*: No accessible RP.* address/)
    const which = ['--bus', '1', '--address', '9']
    for (const args of [['verify', 'x.uf2'], ['reboot'], ['load', '-v', '-x', 'x.uf2']]) {
      const said = await run(join(tools, 'picotool'), [...args, ...which], { signal, cwd: folder }).catch(
        (error: { stdout: string; stderr: string }) => error,
      )
      assert.not.match(said.stdout + said.stderr, /unexpected|SYNOPSIS|unknown option/i, args.join(' '))
      assert.match(said.stdout + said.stderr, /No accessible|Could not open|x\.uf2/, args.join(' '))
    }
  })

  test('what picotool makes of a program is taken, byte for byte; its files are those of these tests', async ({
    signal,
  }) => {
    const bin = join(folder, 'program.bin')
    await writeFile(bin, firmware)
    for (const [kind, name, family, more] of [
      ['pico', 'rp2040', RP2040, []],
      ['pico2', 'rp2350-arm-s', RP2350, []],
      ['pico2', 'rp2350-riscv', 0xe48bff5a, []],
      ['pico2', 'rp2350-arm-s', RP2350, ['--abs-block']],
    ] as const) {
      const uf2 = join(folder, `${name}.uf2`)
      const place = ['-o', '0x10000000', '--family', name, ...more]
      await run(join(tools, 'picotool'), ['uf2', 'convert', bin, '-t', 'bin', uf2, ...place], { signal })
      const made = await readFile(uf2)
      const image = readFirmware(made, boardKind(kind), 'program.uf2')
      assert.equal(
        image.parts.map(({ address, data }) => [address, data.length]),
        [[0, firmware.length]],
      )
      assert.ok(Buffer.from(firmware).equals(image.parts[0]?.data ?? new Uint8Array(0)))
      assert.ok(made.equals(image.file ?? new Uint8Array(0)), 'the file is copied as it is')
      if (more.length === 0) assert.ok(made.equals(uf2Of(firmware, family)))
    }
  })
}

test.run()
