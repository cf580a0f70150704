/** `fernlab board`, against an emulated Uno behind a forwarded port. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { writeIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import { forwardPort } from '@fernlab/firmware-bridge/forwarding/forward-port'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import { createProgram } from 'fernlab/cli/program'
import type { Terminal } from 'fernlab/cli/terminal'
import * as assert from 'uvu/assert'
import { banner, hearing, hello, helloFile, helloVersion } from '../../support/boards/hello.ts'
import { commandLine } from '../../support/command-line.ts'
import { suite } from '../../support/suite.ts'

const test = suite('fernlab board', { timeoutMs: 40_000 })
const TRANSPORT = { kind: 'emulated', world: 'uno', device: 'board' } as const

const worlds = createWorlds({ clock: systemClock, uno: { firmware: helloVersion('0.0.1') } })
const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
const forwarded = await forwardPort({
  open: (within) => openTransport(TRANSPORT, within),
  port: 0,
  clock: systemClock,
  log: silentLog,
})
const port = `net:${forwarded.host}:${forwarded.port}`
const folder = await mkdtemp(join(tmpdir(), 'fernlab-board-'))
test.after(() => forwarded.close())

const run = (...args: string[]) => commandLine(['board', ...args], { env: {} })
const flash = (file: string, ...more: string[]) => run('flash', file, '--port', port, '--board', 'uno', ...more)

test('flash writes the file, says each step on a line of its own, and the firmware runs', async ({ signal }) => {
  const { code, out } = await flash(helloFile)
  assert.is(code, 0)
  assert.match(
    out,
    new RegExp(
      `^waiting for the boot loader …\nwriting \\d+ bytes …\nreading back ${hello.bytes} bytes …\nhello.hex runs on the Arduino Uno: ${hello.bytes} bytes in [\\d.]+ s\n$`,
    ),
  )
  const transport = await openTransport({ kind: 'tcp', host: forwarded.host, port: forwarded.port }, signal)
  await hearing(transport)(banner(), signal)
  await transport.close()
})

test('flash leaves a board alone that has it, if asked to; --json and --quiet say the result alone', async () => {
  const again = await flash(helloFile, '--if-different', '--quiet')
  assert.is(again.out, 'the Arduino Uno has hello.hex already\n')
  const { out } = await flash(helloFile, '--if-different', '--json')
  const { seconds, ...rest } = JSON.parse(out) as { seconds: number }
  assert.equal(rest, { written: false, bytes: hello.bytes })
  assert.ok(seconds > 0)
})

test('flash refuses what is wrong before it opens the port', async () => {
  const cut = join(folder, 'cut.hex')
  await writeFile(cut, writeIntelHex(hello).slice(0, -30))
  const big = join(folder, 'big.hex')
  await writeFile(big, writeIntelHex(helloVersion('9.9.9', 33_000)))
  for (const [args, message, status = 1] of [
    [[cut], /cut\.hex:\d+: .*truncated/],
    [[big], /big\.hex ends at 0x80e8 \(33000 bytes\)/],
    [[join(folder, 'none.hex')], /none\.hex is not there/],
    [[helloFile, '--board', 'unoo'], /did you mean "uno"/],
    [[helloFile, '--port', 'COM3'], /--port is "COM3"; it may be a device/, 2],
    [[helloFile, '--port', 'net:here'], /--port is "here"; it may be HOST:PORT/, 2],
  ] as const) {
    const { code, err } = await flash(args[0], ...args.slice(1))
    assert.is(code, status, err)
    assert.match(err, message)
  }
})

test('flash says of a port that is not there what to check', async () => {
  const { code, err } = await run('flash', helloFile, '--port', join(folder, 'ttyNONE'), '--board', 'uno')
  assert.is(code, 1)
  assert.match(err, /ttyNONE cannot be opened/)
})

test('kinds lists the boards', async () => {
  assert.match((await run('kinds')).out, /^KIND +BOARD.*\nuno +Arduino Uno +ATmega328P +32256 +stk500v1\n/)
  const [first] = JSON.parse((await run('kinds', '--json')).out) as { name: string; baudRate: number }[]
  assert.equal([first?.name, first?.baudRate], ['uno', 115_200])
})

test('forward passes bytes until it is ended', async ({ signal }) => {
  let end: (signal: NodeJS.Signals) => void = () => {}
  let said: (line: string) => void = () => {}
  const address = new Promise<string>((resolve) => {
    said = resolve
  })
  const terminal = { env: {}, columns: 80, out: said, err: () => {} } as unknown as Terminal
  const onInterrupt = (handler: typeof end) => {
    end = handler
    return () => {}
  }
  const program = createProgram({ terminal, signal, onInterrupt }, '0')
  const ended = program.parseAsync(['board', 'forward', '--port', port, '--listen', '127.0.0.1:0', '--json'], {
    from: 'user',
  })
  const at = JSON.parse(await address) as { host: string; port: number }
  const socket = connect(at.port, at.host)
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await new Promise<void>((resolve) => {
    let heard = ''
    socket.on('data', (bytes) => {
      heard += bytes
      if (heard === banner()) resolve()
    })
  })
  end('SIGINT')
  await Promise.all([ended, gone])
})

test.run()
