/** How node.yaml names an instrument that is a USB Test and Measurement device. */
import * as z from 'zod'

const inQuotes = 'must be a text: put it in quotes'
const number = (what: string) =>
  z
    .string({ error: inQuotes })
    .regex(/^[0-9a-f]{4}$/, 'must be four digits 0–9 and a–f')
    .describe(`${what} of the instrument, as fernlab doctor shows it; in quotes: "0957".`)
    .exactOptional()

const parts = ['vendor', 'product', 'serial', 'socket'] as const

export const usbtmcConfigSchema = z
  .strictObject({
    kind: z.literal('usbtmc').describe('USB, as an instrument of the class Test and Measurement (/dev/usbtmc…).'),
    vendor: number('The USB number of the maker'),
    product: number('The USB number of the model'),
    serial: z.string({ error: inQuotes }).min(1).describe('Its serial number; digits in quotes.').exactOptional(),
    socket: z
      .string({ error: inQuotes })
      .regex(/^\d+-\d+(\.\d+)*$/, 'must be as fernlab doctor shows it: 1-1.4')
      .describe('The socket that it is plugged into, for one without a serial number: 1-1.4.')
      .exactOptional(),
  })
  .refine((name) => parts.some((part) => name[part] !== undefined), {
    error: 'needs serial, socket, or vendor and product: /dev/usbtmc0 is whichever instrument was switched on first',
  })
export type UsbtmcConfig = z.infer<typeof usbtmcConfigSchema>
/** What of an instrument names it. */
export type UsbtmcName = Omit<UsbtmcConfig, 'kind'>

/** The name as people read it. */
export const usbtmcText = (name: UsbtmcName): string =>
  parts.flatMap((part) => (name[part] === undefined ? [] : [`${part} ${name[part]}`])).join(', ')

/** Equal for configs that name an instrument by the same. */
export const usbtmcKey = (name: UsbtmcName): string =>
  `usbtmc:${parts.flatMap((part) => (name[part] === undefined ? [] : [`${part}=${name[part]}`])).join(',')}`

/** The keys of all configs that name an instrument of which this much is known. */
export function usbtmcKeys(known: UsbtmcName): string[] {
  const names: UsbtmcName[] = [{}]
  for (const part of parts) {
    if (known[part] !== undefined) names.push(...names.map((name) => ({ ...name, [part]: known[part] })))
  }
  return names.slice(1).map(usbtmcKey)
}
