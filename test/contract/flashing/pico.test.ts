/** Raspberry Pi's Pico and its kin: by the drive of their boot loaders, and by the real picotool. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { readFirmware } from '@fernlab/firmware-bridge/flashing/firmware-file'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import type { FlashJob, FlashProgress } from '@fernlab/firmware-bridge/flashing/flasher'
import { appearingDrive } from '@fernlab/firmware-bridge/flashing/uf2/drive'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { picotoolFolder } from '../../support/boards/debian-13.ts'
import { picoDrive } from '../../support/boards/pico-drive.ts'
import { firmwareBytes, uf2Of } from '../../support/boards/uf2-file.ts'
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
  const line = (path: string) => `/dev/sda1 ${path.replaceAll(' ', '\\040')} vfat rw,nosuid 0 0\n`
  await writeFile(mounts, `proc /proc proc rw 0 0\n${line(media)}${line('/nowhere')}${line(drive.folder)}`)
  assert.is(await appearingDrive('RPI-RP2', systemClock, signal, mounts), drive.folder)
  assert.is(await appearingDrive('SAMD21E18A', systemClock, signal, mounts), media)
  assert.is(await appearingDrive('RP2350', hasty, signal, mounts), undefined)
  await writeFile(mounts, `${line(drive.folder)}${line(drive.folder)}`)
  assert.match(
    (await failure(appearingDrive('RPI-RP2', systemClock, signal, mounts))).message,
    /two boards wait in their boot loaders/,
  )
  drive.close()
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
    assert.is(await appearingDrive('RPI-RP2', hasty, signal, mounts), drive.folder)
  } finally {
    if (isRoot) process.seteuid?.(0)
    drive.close()
    await rm(open, { recursive: true })
  }
})

test('a port that is there and can not be opened is told, and no other board is looked for', async ({ signal }) => {
  const { link, end } = await pseudoPort(signal)
  const holder = await openTransport(transportConfigSchema.parse({ kind: 'serial', path: link }), signal)
  const { code, message } = await failure(flash(job(link, signal, { clock: hasty }), 1))
  assert.is(code, 'transport-unreachable')
  assert.match(message, /another program has it/)
  await holder.close()
  await end()
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

/** A board that has a serial port and no boot loader; gives what it was opened with. */
async function deafPort(signal: AbortSignal, path: string) {
  const speeds: number[] = []
  const { link, end } = await pseudoPort(signal)
  const before = process.env.PATH
  process.env.PATH = path
  const error = await failure(
    flash(
      job(link, signal, {
        clock: hasty,
        openTransport: (config, within) => {
          if (config.kind === 'serial') speeds.push(config.baudRate)
          return openTransport(config, within)
        },
      }),
      1,
    ),
  ).finally(() => {
    process.env.PATH = before
  })
  await end()
  return { speeds, error }
}

test('a port is opened at 1200 baud to start the boot loader; without picotool its drive is waited for', async ({
  signal,
}) => {
  const { speeds, error } = await deafPort(signal, '/nonexistent')
  assert.equal(speeds, [1200])
  assert.is(error.code, 'board-silent')
  assert.match(error.message, /hold its BOOTSEL button while you plug it in.*sudo apt install picotool/)
})

if (tools === undefined) test.skip('all of picotool', "needs Debian's archive")
else {
  test('picotool is asked where it is installed, and its words are told', async ({ signal }) => {
    const { speeds, error } = await deafPort(signal, `${tools}:${process.env.PATH}`)
    assert.equal(speeds, [1200])
    assert.is(error.code, 'board-silent')
    assert.match(error.message, /picotool says: No accessible RP.* devices in BOOTSEL mode were found/)
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
