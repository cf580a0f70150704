import { pipeline } from 'node:stream/promises'
import type { ParameterSpec } from '@fernlab/shared/capabilities/signals'
import { type LabDetail, labDetailSchema } from '@fernlab/shared/contracts/api'
import { textIn } from '@fernlab/shared/contracts/common'
import { formatUnit } from '@fernlab/shared/primitives/units'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { takesOf } from '../controls.ts'
import { LONGEST_DOWNLOAD_MS, saveAnswer } from '../download.ts'
import { whileSaving } from '../interrupt.ts'
import { formatSeconds } from '../run-view.ts'
import { tableLines } from '../table.ts'
import { waitOf } from './listings.ts'

const path = (lab: string, more = '') => `/api/v1/labs/${encodeURIComponent(lab)}${more}`

/** `lab show`, `lab file`: what a lab of the catalogue offers, and its files. */
export function addLabShow(lab: Command, context: Context): void {
  const { terminal } = context
  const language = (terminal.env.LANGUAGE ?? terminal.env.LANG ?? 'en').replace(/[_.:].*$/, '')

  withHub(lab.command('show <lab>').description('its protocols with their parameters, its sessions, and the wait'))
    .option('--readme', 'the text that students read instead, as Markdown')
    .action(async (id: string, options: HubOptions & { readme?: true }) => {
      const client = await openHub(context, options)
      const found = await client.call(labDetailSchema, path(id))
      if (options.json) return terminal.out(JSON.stringify(found, null, 2))
      if (options.readme) return terminal.out(textIn(found.readme, language).trimEnd())
      for (const line of linesOfLab(found, language)) terminal.out(line)
    })

  withHub(lab.command('file <lab> <path>').description('save a file of a lab, such as a picture of its text'))
    .option('--to <folder>', 'where to; - for standard output', '.')
    .option('--overwrite', 'replace a file that is there; otherwise it is refused')
    .action(async (id: string, file: string, options: HubOptions & { to: string; overwrite?: true }) => {
      const client = await openHub(context, options)
      const from = path(id, `/files/${file.split('/').map(encodeURIComponent).join('/')}`)
      const timeoutMs = LONGEST_DOWNLOAD_MS
      if (options.to === '-') {
        const { body } = await client.fetch(from, { timeoutMs })
        return await pipeline(body as never, process.stdout, { end: false })
      }
      const where = { folder: options.to, name: file, overwrite: options.overwrite === true }
      const saved = await whileSaving(context, async (signal) =>
        saveAnswer(await client.fetch(from, { timeoutMs, signal }), { ...where, signal }),
      )
      terminal.out(options.json ? JSON.stringify({ lab: id, file: saved }) : saved)
    })
}

function linesOfLab(lab: LabDetail, language: string): string[] {
  const { session } = lab
  return [
    `${lab.id}: ${textIn(lab.title, language)}, version ${lab.version}`,
    textIn(lab.summary, language),
    `a run sent now would wait: ${waitOf(lab)}`,
    ...(session === undefined
      ? []
      : [
          `live sessions of ${formatSeconds(session.seconds)}, up to ${formatSeconds(session.mostSeconds)}: fernlab session start ${lab.id}`,
        ]),
    ...lab.protocols.flatMap(({ name, title, parameters, estimate }) => [
      '',
      `${name}: ${textIn(title, language)}${estimate === undefined ? '' : `, about ${formatSeconds(estimate.seconds)}`}`,
      ...tableLines(Object.entries((parameters.properties ?? {}) as Record<string, ParameterSpec>), {
        parameter: ([parameter]) => parameter,
        unit: ([, spec]) => formatUnit(spec.unit ?? '1'),
        takes: ([, spec]) => takesOf(spec),
        default: ([, spec]) => (spec.default === undefined ? 'none: must be given' : String(spec.default)),
        title: ([, spec]) => (spec.title === undefined ? '' : textIn(spec.title, language)),
      }).map((line) => `  ${line}`),
    ]),
  ]
}
