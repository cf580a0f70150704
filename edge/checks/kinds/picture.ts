import { LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import * as z from 'zod'
import { checkKind } from '../check-kind.ts'

const configSchema = z.strictObject({
  part: z.string().min(1).max(100).describe("The part that is a camera, as in the bench's parts."),
  leastBrightness: z
    .number()
    .min(0)
    .max(100)
    .default(2)
    .describe('Darker than this, in % of white, the picture is black. Default: 2.'),
  leastContrast: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe('With less contrast than this, in % of white, the picture shows nothing. Default: 1.'),
})

/** A sensor's noise is in every picture: where these are all the same, the camera sends an old one again and again. */
const PICTURES = 5
const READ_MS = 10_000

/** The picture of a camera is alive, not black, and shows something. */
export const pictureKind = checkKind({
  kind: 'picture',
  config: configSchema,
  harmless: true,
  findings: ({ part }, { parts }) =>
    Object.hasOwn(parts, part)
      ? []
      : [{ path: ['part'], message: `there is no part ${part}${didYouMean(part, Object.keys(parts))}` }],
  unfit: ({ part }, parts) => {
    const handle = parts.get(part)
    if (handle === undefined || handle.spec.camera !== undefined) return []
    return [{ path: ['part'], message: `${handle.name} is not a camera` }]
  },
  perform: async ({ part, leastBrightness, leastContrast }, bench, signal) => {
    const handle = bench.parts.get(part)
    if (handle === undefined)
      throw new LabError({ code: 'part-unknown', kind: 'bug', message: `there is no part ${part}` })
    let moved = false
    for (let i = 0; i < PICTURES && !moved; i++) {
      const seen = await handle.read(['brightness', 'contrast', 'change'], { signal, timeoutMs: READ_MS })
      const measured = (name: string) => Number(seen[name]?.value)
      const shown = (name: string) => `${measured(name).toFixed(1)} %`
      if (measured('brightness') < leastBrightness) throw dead(handle.name, `is black: ${shown('brightness')} of white`)
      if (measured('contrast') < leastContrast) {
        throw dead(handle.name, `shows nothing: its contrast is ${shown('contrast')}`)
      }
      moved = measured('change') > 0
    }
    if (!moved) throw dead(handle.name, `has stood still for ${PICTURES} pictures, without any noise`)
  },
})

function dead(camera: string, how: string): LabError {
  return new LabError({
    code: 'picture-dead',
    kind: 'instrument',
    retry: 'later',
    message: `the picture of ${camera} ${how}`,
    studentMessage: 'The camera of this bench shows nothing.',
  })
}
