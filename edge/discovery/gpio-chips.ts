/** GPIO chips by their label: their numbers change from kernel to kernel. */
import type { Seen } from './find.ts'
import { type Accounts, refusalOf, refusedTrouble } from './person.ts'
import type { Access, Root } from './root.ts'

export interface GpioChipFacts {
  /** `gpiochip0`: the character device. */
  readonly name: string
  readonly label: string
  readonly lines?: number
  /** The number of its first line in /sys/class/gpio, where that is there. */
  readonly base?: number
  readonly access?: Access
}

/** Labels of the chips that a Pi's header is wired to: BCM2835 to 2837, BCM2711, and the RP1 of a Pi 5. */
const headerLabels = ['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1']
const labelOfCompatible: Readonly<Record<string, string>> = {
  'brcm,bcm2835-gpio': 'pinctrl-bcm2835',
  'brcm,bcm2711-gpio': 'pinctrl-bcm2711',
  'raspberrypi,rp1-gpio': 'pinctrl-rp1',
}

/** The chips of a machine. */
export async function readGpioChips(root: Root): Promise<GpioChipFacts[]> {
  const legacy = await readLegacy(root)
  const names = (await root.list('/sys/bus/gpio/devices')).filter((name) => /^gpiochip\d+$/.test(name))
  return await Promise.all(
    names.map(async (name): Promise<GpioChipFacts> => {
      const place = (await root.real(`/sys/bus/gpio/devices/${name}`)) ?? ''
      const [compatible, access, known] = await Promise.all([
        root.text(`${place}/of_node/compatible`),
        root.access(`/dev/${name}`),
        Promise.resolve(legacy.find(({ device }) => device !== undefined && isIn(place, device))),
      ])
      const label = known?.label ?? labelOfCompatible[compatible ?? ''] ?? name
      return {
        name,
        label,
        ...(known === undefined ? {} : { lines: known.lines, base: known.base }),
        ...(access === undefined ? {} : { access }),
      }
    }),
  )
}

const isIn = (place: string, folder: string): boolean => place === folder || place.startsWith(`${folder}/`)

async function readLegacy(root: Root) {
  const names = (await root.list('/sys/class/gpio')).filter((name) => /^gpiochip\d+$/.test(name))
  return await Promise.all(
    names.map(async (name) => {
      const folder = `/sys/class/gpio/${name}`
      const [label, lines, base, device] = await Promise.all([
        root.text(`${folder}/label`),
        root.text(`${folder}/ngpio`),
        root.text(`${folder}/base`),
        root.real(`${folder}/device`),
      ])
      return { label: label ?? name, lines: Number(lines), base: Number(base), device }
    }),
  )
}

/** The chips, those of a header first. */
export function seeGpioChips(chips: readonly GpioChipFacts[], accounts: Accounts): Seen[] {
  const onHeader = ({ label }: GpioChipFacts) => headerLabels.includes(label)
  const sorted = [...chips.filter(onHeader), ...chips.filter((chip) => !onHeader(chip))]
  return sorted.map((chip): Seen => {
    const { name, label, lines, base, access } = chip
    const path = `/dev/${name}`
    const refusal =
      access === undefined
        ? undefined
        : refusalOf(accounts, access, { match: 'SUBSYSTEM=="gpio", KERNEL=="gpiochip*"', group: 'gpio' })
    return {
      group: 'GPIO',
      find: {
        id: `gpio:${label}`,
        kind: 'gpio',
        title: label,
        path,
        keys: [`gpio:${label}:`, ...(onHeader(chip) ? ['gpio:header:'] : [])],
      },
      facts: [
        path,
        ...(onHeader(chip) ? ['the pins of the 40-pin header'] : []),
        ...(lines === undefined ? [] : [`${lines} lines`]),
        ...(base === undefined ? [] : [`sysfs numbers from ${base}`]),
      ],
      ...(refusal === undefined ? {} : { trouble: refusedTrouble(refusal) }),
    }
  })
}
