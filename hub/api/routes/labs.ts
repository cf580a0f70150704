import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import {
  type LabDetail,
  type LabSummary,
  labDetailSchema,
  labReadmeSchema,
  labSummarySchema,
  page,
  pushedLabSchema,
  pushLabSchema,
} from '@fernlab/shared/contracts/api'
import { nameSchema } from '@fernlab/shared/contracts/common'
import { filmsOf, sessionTimes } from '@fernlab/shared/contracts/sessions'
import { estimate, sizeOf } from '@fernlab/shared/protocol/estimate'
import { checkParameters, parameterSchema } from '@fernlab/shared/protocol/parameters'
import { z } from '@hono/zod-openapi'
import type { Caller } from '../../accounts/caller.ts'
import { can } from '../../accounts/can.ts'
import type { CatalogueLab, LabFiles } from '../../catalogue/catalogue.ts'
import { createReadmes } from '../../catalogue/readmes.ts'
import type { CompatibleBench } from '../../fleet/fleet.ts'
import type { AddRoute, ApiParts } from '../context.ts'
import { pageOf, pageQuery } from '../paging.ts'
import { notFound, refusal } from '../problems.ts'
import { safeDecode } from '../static-files.ts'
import { labFileResponse } from './lab-file.ts'

const labParams = z.object({ lab: nameSchema })

/** The catalogue: open to everyone but for labs that say otherwise; pushing is for builders. */
export function labRoutes(add: AddRoute, parts: ApiParts): void {
  const { catalogue, fleet, runs } = parts
  const readmes = createReadmes(parts)
  const visible = async (id: string, caller: Caller | undefined) => {
    const lab = await catalogue.lab(id)
    if (lab === undefined || !mayKnow(lab, caller)) throw notFound(`the lab ${id}`)
    return lab
  }
  const servingOf = async (lab: CatalogueLab, caller: Caller | undefined): Promise<Serving> => {
    const benches = await fleet.compatibleBenches(lab)
    if (benches.length > 0 || !can(caller, 'nodes.read')) return { benches }
    const reasons = [...(await fleet.whyNotCompatible(lab))].map(([bench, issues]) => ({
      bench,
      reason: issues.map(({ message }) => message).join('; '),
    }))
    return { benches, reasons }
  }
  add(
    {
      method: 'get',
      path: '/api/v1/labs',
      tag: 'Labs',
      summary: 'The catalogue',
      access: 'public',
      query: pageQuery,
      answer: { schema: page(labSummarySchema), what: 'Labs by id' },
    },
    async ({ c, query }) => {
      const labs = (await catalogue.list()).filter((lab) => mayKnow(lab, c.get('caller')))
      const { items, cursor } = pageOf(labs, query)
      const serving = await Promise.all(items.map((lab) => servingOf(lab, c.get('caller'))))
      const queueOf = runs.queues()
      const summaries = items.map((lab, at) => summarise(lab, serving[at] ?? { benches: [] }, queueOf(lab.id)))
      return c.json({ items: summaries, ...(cursor === undefined ? {} : { cursor }) })
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/labs/{lab}',
      tag: 'Labs',
      summary: 'A lab with its readme, protocols and benches',
      access: 'public',
      params: labParams,
      answer: { schema: labDetailSchema, what: 'The lab' },
    },
    async ({ c, params }) => {
      const lab = await visible(params.lab, c.get('caller'))
      return c.json(detail(lab, await servingOf(lab, c.get('caller')), runs.queues()(lab.id)))
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/labs/{lab}/readme',
      tag: 'Labs',
      summary: 'What students read of a lab, as the page draws it',
      description: 'Elements with their attributes and texts, formulas set. The Markdown is among the lab’s files.',
      access: 'public',
      params: labParams,
      query: z.object({ language: z.string().max(35).default('en') }),
      answer: { schema: labReadmeSchema, what: 'The text in that language, in English, or in what there is' },
    },
    async ({ c, params, query }) => {
      const lab = await visible(params.lab, c.get('caller'))
      const readme = await readmes.of(lab, query.language, filesUrl(lab))
      if (readme === undefined) throw notFound(`a readme of the lab ${params.lab}`)
      const { language, nodes } = readme
      return c.body(`{"language":${JSON.stringify(language)},"nodes":${nodes}}`, 200, {
        'content-type': 'application/json',
      })
    },
  )
  add(
    {
      method: 'put',
      path: '/api/v1/labs/{lab}',
      tag: 'Labs',
      summary: 'Push a lab: the files of its folder, whole',
      description:
        'The same files again make no new version. With mistakes nothing is changed; `issues` lists all of them.',
      access: 'labs.push',
      errors: ['lab-invalid'],
      params: labParams,
      body: pushLabSchema,
      answer: { schema: pushedLabSchema, what: 'The lab’s version' },
      otherAnswers: [{ status: 201, schema: pushedLabSchema, what: 'The version of a lab that was not there before' }],
    },
    async ({ c, params, body, caller }) => {
      const pushed = await catalogue.push(filesIn(body), { id: params.lab, by: caller.personId })
      return c.json(pushed, pushed.changed && pushed.version === 1 ? 201 : 200)
    },
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/labs/{lab}',
      tag: 'Labs',
      summary: 'Take a lab out of the catalogue; its runs stay',
      access: 'labs.push',
      params: labParams,
      answer: { status: 204, what: 'It is gone from the catalogue' },
    },
    async ({ c, params, caller }) => {
      if (!(await catalogue.remove(params.lab, caller.personId))) throw notFound(`the lab ${params.lab}`)
      return c.body(null, 204)
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/labs/{lab}/files/{path}',
      tag: 'Labs',
      summary: 'A picture or another file of the lab',
      access: 'public',
      params: labParams.extend({ path: z.string() }),
      deep: true,
      answer: { what: 'The file', type: '*/*' },
    },
    async ({ c, params }) => {
      const { lab, files } = await visible(params.lab, c.get('caller'))
      const raw = c.req.path.split(`/labs/${params.lab}/files/`)[1] ?? ''
      const path = safeDecode(raw)
      if (path === undefined) throw notFound(`the file ${raw} of the lab ${params.lab}`)
      const file = files.includes(path) ? await catalogue.file(params.lab, path) : undefined
      if (file === undefined) throw notFound(`the file ${path} of the lab ${params.lab}`)
      return labFileResponse(path, file, c.req.raw.headers, lab.access?.public === false ? 'members' : 'everyone')
    },
  )
}

/** Whether the caller may know of the lab. */
export const mayKnow = (lab: CatalogueLab, caller: Caller | undefined) =>
  lab.lab.access?.public !== false || can(caller, 'catalogue.read')

function filesIn({ files }: z.infer<typeof pushLabSchema>): LabFiles {
  const entries = files.map(({ path, text, base64 }, at) => {
    if (!/^(?!\.)[^\\\0]+$/.test(path) || path.split('/').some((part) => part === '' || part.startsWith('.'))) {
      throw badFile(at, 'path', `${JSON.stringify(path)} is not a path inside the lab's folder`)
    }
    if (text !== undefined && base64 === undefined) return [path, text] as const
    if (text === undefined && base64 !== undefined) {
      const body = Buffer.from(base64, 'base64')
      if (body.toString('base64').replace(/=+$/, '') === base64.replace(/=+$/, '')) {
        return [path, Uint8Array.from(body)] as const
      }
      throw badFile(at, 'base64', 'is not base64')
    }
    throw badFile(at, '', 'needs either text or base64')
  })
  const names = new Set(entries.map(([path]) => path))
  if (names.size < entries.length) throw refusal('request-invalid', 'files: a path is there twice')
  return Object.fromEntries(entries)
}

function badFile(at: number, part: string, message: string) {
  const path = `files.${at}${part === '' ? '' : `.${part}`}`
  return Object.assign(refusal('request-invalid', `${path}: ${message}`), { issues: [{ path, message }] })
}

const filesUrl = (lab: CatalogueLab) => `/api/v1/labs/${lab.id}/files/`

interface Serving {
  readonly benches: readonly CompatibleBench[]
  /** Where no bench serves it, and the caller may know why. */
  readonly reasons?: readonly { bench: string; reason: string }[]
}

type Queue = ReturnType<ReturnType<ApiParts['runs']['queues']>>

function summarise(lab: CatalogueLab, { benches, reasons }: Serving, queue: Queue): LabSummary {
  const { title, summary, subject, level, picture } = lab.lab
  return {
    id: lab.id,
    title,
    summary,
    ...(subject === undefined ? {} : { subject }),
    ...(level === undefined ? {} : { level }),
    ...(picture === undefined ? {} : { picture: `${filesUrl(lab)}${encodeURI(picture)}?v=${lab.version}` }),
    version: lab.version,
    benches: benches.map(({ id, title: name, state, reason }) => ({
      id,
      state,
      ...(name === undefined ? {} : { title: name }),
      ...(reason === undefined ? {} : { reason }),
    })),
    ...(reasons === undefined ? {} : { notServedBy: [...reasons] }),
    queueLength: queue.length,
    estimatedWaitS: queue.estimatedWaitS,
    protocols: Object.entries(lab.protocols).map(([name, { definition }]) => ({
      name,
      title: definition.title,
    })),
  }
}

function detail(lab: CatalogueLab, serving: Serving, queue: Queue): LabDetail {
  const instruments: Readonly<Record<string, InstrumentSpec>> = serving.benches[0]?.parts ?? {}
  return {
    ...summarise(lab, serving, queue),
    readme: { ...lab.readme },
    filesUrl: filesUrl(lab),
    parts: { ...instruments },
    ...(lab.lab.limits === undefined ? {} : { limits: lab.lab.limits }),
    ...(lab.lab.panel === undefined ? {} : { panel: lab.lab.panel }),
    ...(lab.session === undefined || lab.lab.session === undefined
      ? {}
      : { session: { ...sessionTimes(lab.lab.session), ...filmsOf(lab.lab.session) } }),
    protocols: Object.entries(lab.protocols).map(([name, { definition, digest }]) => {
      const { values, issues } = checkParameters(definition, {})
      const known = issues.length === 0 ? estimate(definition, values, { parts: instruments }) : undefined
      const { title, summary } = definition
      return {
        name,
        title,
        ...(summary === undefined ? {} : { summary }),
        version: definition.version,
        digest,
        restart: definition.restart,
        parameters: parameterSchema(definition),
        outputs: outputsOf(definition.outputs),
        plots: [...definition.plots],
        definition,
        ...(known === undefined ? {} : { estimate: sizeOf(known) }),
      }
    }),
  }
}

function outputsOf(outputs: Readonly<Record<string, { title?: LabSummary['title']; unit?: string }>>) {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { title, unit = '1' }]) => [
      name,
      { unit, ...(title === undefined ? {} : { title }) },
    ]),
  )
}
