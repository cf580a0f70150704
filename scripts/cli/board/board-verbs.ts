import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { boardKind, boardKinds } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { readFirmware } from '@fernlab/firmware-bridge/flashing/firmware-file'
import { flash } from '@fernlab/firmware-bridge/flashing/flash'
import { forwardPort } from '@fernlab/firmware-bridge/forwarding/forward-port'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { OpenTransport, TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type Log, silentLog } from '@fernlab/shared/primitives/log'
import type { Context } from '../context.ts'
import { misspelt, mistake } from '../problem.ts'
import { tableLines } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { descriptionText } from './describe-board.ts'
import { openFlashView } from './flash-view.ts'

interface PortOptions {
  readonly port: string
  readonly json?: boolean
}
export interface FlashOptions extends PortOptions {
  readonly board: string
  readonly ifDifferent?: boolean
}
export interface DescribeOptions extends PortOptions {
  readonly baud: string
}
export interface ForwardOptions extends PortOptions {
  readonly listen: string
  readonly baud: string
}

/** `board kinds` */
export function listKinds({ terminal }: Context, { json }: { readonly json?: boolean }): void {
  const rows = boardKinds.map(({ name, title, chip, firmwareBytes, baudRate, method }) => ({
    name,
    title,
    chip,
    firmwareBytes,
    baudRate,
    method,
  }))
  const columns = {
    kind: (row: (typeof rows)[number]) => row.name,
    board: (row: (typeof rows)[number]) => row.title,
    chip: (row: (typeof rows)[number]) => row.chip,
    'bytes for firmware': (row: (typeof rows)[number]) => row.firmwareBytes,
    'flashed by': (row: (typeof rows)[number]) => row.method,
  }
  const lines = json ? [JSON.stringify(rows, null, 2)] : tableLines(rows, columns)
  for (const line of lines) terminal.out(line)
}

/** `board flash`; resolves when the firmware was read back from the board and runs. */
export async function flashBoard(context: Context, file: string, options: FlashOptions): Promise<void> {
  const { terminal, signal, onInterrupt } = context
  const kind = boardKind(options.board)
  const transport = portOf(options.port, kind.baudRate)
  const image = readFirmware(await contentOf(file), kind, basename(file))
  const log = logIn(terminal)
  const view = openFlashView(terminal, options.json === true)
  const stop = new AbortController()
  signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true })
  // The port has to be let go of in an orderly way.
  const giveBack = onInterrupt(() => stop.abort(interrupted()))
  const began = performance.now()
  try {
    const { written } = await flash({
      transport,
      openTransport: opener(log),
      board: kind,
      image,
      onlyIfDifferent: options.ifDifferent === true,
      clock: systemClock,
      log,
      signal: stop.signal,
      onProgress: view.show,
    })
    view.close()
    const seconds = Math.round((performance.now() - began) / 100) / 10
    if (options.json) terminal.out(JSON.stringify({ written, bytes: image.bytes, seconds }))
    else if (written) terminal.out(`${basename(file)} runs on the ${kind.title}: ${image.bytes} bytes in ${seconds} s`)
    else terminal.out(`the ${kind.title} has ${basename(file)} already`)
  } finally {
    view.close()
    giveBack()
  }
}

/** `board describe`: what the board is, as the text of a file. */
export async function describeBoard({ terminal, signal }: Context, { port, baud }: DescribeOptions): Promise<void> {
  const config = portOf(port, Number(baud))
  const transport = await opener(logIn(terminal))(config, signal)
  terminal.out(await descriptionText(transport, { place: port, config, signal }))
}

/** `board forward`; resolves when the person has had enough. */
export async function forwardBoard(context: Context, { port, listen, baud, json }: ForwardOptions): Promise<void> {
  const { terminal, onInterrupt } = context
  const transport = portOf(port, Number(baud))
  const { host, port: wanted } = hostAndPort(listen, 'address-wrong', '--listen')
  const log = logIn(terminal)
  const openTransport = opener(log)
  const forwarded = await forwardPort({
    open: (within) => openTransport(transport, within),
    host,
    port: wanted,
    clock: systemClock,
    log,
  })
  if (!isLoopback(host)) {
    terminal.err(
      `${host} is reached by others: whoever reaches it can write to the board; nobody is asked who they are`,
    )
  }
  const at = `${forwarded.host}:${forwarded.port}`
  if (json) terminal.out(JSON.stringify({ host: forwarded.host, port: forwarded.port }))
  else terminal.out(`${port} is at ${at}; avrdude takes -P net:${at}`)
  await new Promise<void>((resolve) => onInterrupt(() => resolve()))
  await forwarded.close()
}

/** A port as people write it; throws `port-wrong`. */
function portOf(text: string, baudRate: number): TransportConfig {
  if (!(Number.isInteger(baudRate) && baudRate > 0))
    throw misspelt('baud-wrong', '--baud is bits per second, as in 115200')
  if (text.startsWith('net:')) return { kind: 'tcp', ...hostAndPort(text.slice('net:'.length), 'port-wrong', '--port') }
  if (text.startsWith('emulated:')) return { kind: 'emulated', world: text.slice('emulated:'.length), device: 'board' }
  if (!text.startsWith('/'))
    throw misspelt('port-wrong', `--port is ${JSON.stringify(text)}; it may be a device, net:HOST:PORT or emulated:uno`)
  return { kind: 'serial', path: text, baudRate, dataBits: 8, parity: 'none', stopBits: 1, flowControl: 'none' }
}

function hostAndPort(text: string, code: string, option: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? []
  if (host === '' || Number(port) > 65_535)
    throw misspelt(code, `${option} is ${JSON.stringify(text)}; it may be HOST:PORT`)
  return { host, port: Number(port) }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host)

async function contentOf(file: string): Promise<Uint8Array> {
  return await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw mistake(
      'file-unreadable',
      `${file} ${error.code === 'ENOENT' ? 'is not there' : `can not be read (${error.code})`}`,
    )
  })
}

const opener = (log: Log): OpenTransport =>
  createOpenTransport({ worlds: createWorlds({ clock: systemClock }), clock: systemClock, log })

/** Warnings are for the person; all else is not. */
function logIn(terminal: Terminal): Log {
  const tell = (fields: object, message: string) => {
    const { error } = fields as { readonly error?: unknown }
    terminal.err(error === undefined ? message : `${message}: ${String(error)}`)
  }
  const log: Log = { ...silentLog, warn: tell, error: tell, child: () => log }
  return log
}

const interrupted = () =>
  new LabError({
    code: 'interrupted-by-person',
    kind: 'caller',
    message: 'given up; the board may have no whole firmware now: flash it again',
  })
