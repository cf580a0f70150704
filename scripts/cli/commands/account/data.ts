import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { meSchema } from '@fernlab/shared/contracts/api'
import type { Command } from 'commander'
import { answerTo, passwordFor } from '../../asked.ts'
import { type Context, type HubOptions, openHub, withHub } from '../../context.ts'
import { saveWhole } from '../../download.ts'
import { whileSaving } from '../../interrupt.ts'
import { mistake } from '../../problem.ts'
import { forgetToken } from '../../sign-in.ts'

/** Of somebody with years of runs. */
const EXPORT_MS = 3_600_000

/** `account export`, `close`. */
export function addData(account: Command, context: Context): void {
  const { terminal } = context

  withHub(
    account.command('export <file>').description('keep all that the hub knows of you in a JSON file; "-" prints it'),
  )
    .option('--force', 'replace the file that is there')
    .addHelpText('after', '\nSamples are in each run: see "fernlab runs".')
    .action(async (file: string, options: HubOptions & { force?: boolean }) => {
      const overwrite = options.force === true
      const ifTaken = 'Name another file, or replace it with --force.'
      if (file !== '-' && !overwrite && (await stat(file).catch(() => undefined)) !== undefined)
        throw mistake('file-exists', `${file} is there already`, ifTaken)
      const client = await openHub(context, options)
      const ask = (signal: AbortSignal) => client.fetch('/api/v1/me/export', { timeoutMs: EXPORT_MS, signal })
      if (file === '-') {
        const source = Readable.fromWeb((await ask(context.signal)).body as ReadableStream<Uint8Array>)
        for await (const text of source.setEncoding('utf8')) terminal.print(text)
        return
      }
      const onProgress = (done: number) => terminal.status(`${kilobytes(done)} …`)
      const bytes = await whileSaving(context, async (signal) =>
        saveWhole(await ask(signal), { path: file, overwrite, signal, ifTaken, secret: true, onProgress }),
      ).finally(() => terminal.status(''))
      terminal.out(options.json ? JSON.stringify({ file, bytes }) : `${file} holds it, ${kilobytes(bytes)}`)
    })

  withHub(account.command('close').description('close your account for good; your runs stay, of nobody'))
    .option('--yes', 'do not ask to type your address, for scripts; the password is a line of standard input')
    .action(async (options: HubOptions & { yes?: boolean }) => {
      const client = await openHub(context, options)
      const { email } = await client.call(meSchema, '/api/v1/me')
      if (options.yes !== true) {
        terminal.err('This can not be undone. Your runs and their results stay, and nobody can tell whose they were;')
        terminal.err('bookings to come are cancelled. "fernlab account export FILE" keeps what is yours before.')
        const [verb, what] = ['close', 'your mail address']
        const shown = `Type ${email} to close your account: `
        const typed = await answerTo(terminal, { verb, what, shown, instead: 'A script gives --yes.' })
        if (typed.trim().toLowerCase() !== email.toLowerCase())
          throw mistake('not-confirmed', `that is not ${email}; nothing was done`)
      }
      const password = await passwordFor(terminal, 'close')
      await client.fetch('/api/v1/me/close', { method: 'POST', body: { password } })
      await forgetToken(terminal, client.url)
      terminal.out(options.json ? JSON.stringify({ closed: email }) : 'your account is closed')
    })
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1000)} kB`
