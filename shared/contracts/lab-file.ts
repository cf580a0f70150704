import * as z from 'zod'
import {
  identifierSchema,
  limitsSchema,
  partRequirementSchema,
  signalKeySchema,
  textSchema,
} from '../capabilities/signals.ts'
import { NAME_PATTERN } from '../primitives/ids.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { panelFindings, panelSchema } from './panel.ts'
import { stepSchemaZod } from './protocol-file.ts'
import { DEFAULT_SECONDS, type SessionFile, sessionFile } from './sessions.ts'
import { type Finding, readFileAs, type YamlOptions } from './yaml-file.ts'

function labFile<Step extends z.ZodType>(step: Step) {
  return z.strictObject({
    id: z
      .string()
      .regex(NAME_PATTERN, 'must be lower-case letters, digits, - and _')
      .describe("The lab's name in addresses and commands. Default: the name of its folder.")
      .exactOptional(),
    title: textSchema.describe('What the lab is called, in one language or in several: { en: …, es: … }.'),
    summary: textSchema.describe('One or two sentences for the catalogue, in one language or in several.'),
    picture: z
      .string()
      .max(200)
      .describe('A picture in the folder for the catalogue: SVG, PNG, JPEG or WebP, at most 1 MB.')
      .exactOptional(),
    subject: textSchema.describe('The field, such as Electronics.').exactOptional(),
    level: textSchema.describe('Who it is for, such as First year.').exactOptional(),
    parts: z
      .record(identifierSchema, partRequirementSchema)
      .describe('What a bench must have: a name for each part, and the signals and actions that are needed of it.'),
    limits: z
      .record(signalKeySchema, limitsSchema)
      .describe(
        "Narrows what instrument and bench allow: low and high for a part.signal, in the unit that the part's signal has above.",
      )
      .exactOptional(),
    access: z
      .strictObject({
        public: z.boolean().describe('Whether strangers see the lab in the catalogue. Default: true.'),
      })
      .describe('Who sees the lab.')
      .exactOptional(),
    panel: panelSchema.exactOptional(),
    page: z
      .string()
      .max(200)
      .describe(
        "The lab's own page for its live sessions, instead of the panel or beside it: an HTML file in a folder of its own, such as page/index.html, with all that it loads.",
      )
      .exactOptional(),
    session: sessionFile(step).exactOptional(),
    // Whoever writes it relies on it: it must not be taken for a misspelt key.
    description: z
      .never('write what students read into README.md')
      .meta({ description: 'Refused: what students read stands in README.md.', doNotSuggest: true })
      .exactOptional(),
  })
}

/** lab.yaml with the steps of its sessions left unchecked: they are walked one by one, for better messages. */
const labFileShape = labFile(z.unknown())

/** lab.yaml in full, for JSON Schema. */
export const labFileSchemaZod = (): z.ZodType => labFile(stepSchemaZod())

/** lab.yaml as data. */
export type LabFile = z.infer<typeof labFileShape>

/**
 * Reads lab.yaml. There is a lab when the file has the form of one, so that what refers to it can be checked as well;
 * with issues it is not to be used.
 */
export function parseLabFile(
  text: string,
  options: YamlOptions = {},
): { lab: LabFile; place: (finding: Finding) => Issue; issues: Issue[] } | { lab?: never; issues: Issue[] } {
  const { value, yaml, issues } = readFileAs(text, labFileShape, options)
  if (value === undefined || yaml === undefined) return { issues }
  const findings = Object.entries(value.limits ?? {}).flatMap(([key, limits]): Finding[] => {
    const [part = '', name = ''] = key.split('.')
    const path = ['limits', key]
    const signals = Object.hasOwn(value.parts, part) ? value.parts[part]?.signals : undefined
    if (signals === undefined)
      return [{ path, message: `there is no part ${part}${didYouMean(part, Object.keys(value.parts))}` }]
    if (!Object.hasOwn(signals, name)) {
      return [{ path, message: `part ${part} has no signal ${name}${didYouMean(name, Object.keys(signals))}` }]
    }
    return limits.low === undefined && limits.high === undefined ? [{ path, message: 'needs low, high or both' }] : []
  })
  if (value.panel !== undefined) {
    findings.push(...panelFindings(value.panel, value))
    if (value.session === undefined) {
      findings.push({ path: ['panel'], message: 'a panel is for live sessions: add session: {} to offer them' })
    }
  }
  if (value.page !== undefined && value.session === undefined) {
    findings.push({ path: ['page'], message: 'a page is for live sessions: add session: {} to offer them' })
  }
  if (value.session !== undefined) {
    findings.push(...timeFindings(value.session), ...serverFindings(value), ...filmFindings(value))
  }
  return { lab: value, place: yaml.place, issues: findings.map(yaml.place) }
}

function timeFindings({ seconds = DEFAULT_SECONDS, mostSeconds }: SessionFile): Finding[] {
  if (mostSeconds === undefined || mostSeconds >= seconds) return []
  return [{ path: ['session', 'mostSeconds'], message: `is less than the ${seconds} s that a session has` }]
}

function filmFindings({ session, parts }: LabFile): Finding[] {
  return (session?.film ?? []).flatMap((name, i) => {
    const path = ['session', 'film', i]
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (part === undefined)
      return [{ path, message: `there is no part ${name}${didYouMean(name, Object.keys(parts))}` }]
    return part.camera === true ? [] : [{ path, message: `part ${name} is not a camera: say camera: true under parts` }]
  })
}

function serverFindings({ session, parts }: LabFile): Finding[] {
  const { server, mostSeconds, seconds = DEFAULT_SECONDS } = session ?? {}
  if (server === undefined) {
    const unused = Object.keys(parts).find((part) => parts[part]?.labServer === true)
    return unused === undefined
      ? []
      : [
          {
            path: ['parts', unused, 'labServer'],
            message: `is of use only with session: { server: { part: ${unused} } }`,
          },
        ]
  }
  const findings: Finding[] = []
  const path = ['session', 'server', 'part']
  const part = Object.hasOwn(parts, server.part) ? parts[server.part] : undefined
  if (part === undefined) {
    findings.push({ path, message: `there is no part ${server.part}${didYouMean(server.part, Object.keys(parts))}` })
  } else if (part.labServer !== true) {
    findings.push({ path, message: `part ${server.part} needs labServer: true` })
  }
  if (mostSeconds !== undefined && mostSeconds > seconds) {
    const message = "a lab's own server is told once how long a session is: it can not be extended"
    findings.push({ path: ['session', 'mostSeconds'], message })
  }
  return findings
}
