import { draftDrivers, shownInstrumentSchema } from '@fernlab/shared/contracts/hardware-drafts'
import { type Command, Option } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { misspelt } from '../problem.ts'

interface EquipOptions extends HubOptions {
  readonly driver: string
  readonly name: string
  readonly set: readonly string[]
}

/** `node equip` and `node unequip`: instruments of what a node has found, through the hub. */
export function addNodeEquip(node: Command, context: Context): void {
  const { terminal } = context
  withHub(
    node
      .command('equip <node> <find>')
      .description('make an instrument of what "fernlab node look" shows of a node, at once and without a restart'),
  )
    .addOption(new Option('--driver <kind>', 'the driver that takes it').choices(draftDrivers).makeOptionMandatory())
    .requiredOption('--name <name>', 'what the instrument is called')
    .option(
      '--set <key=value>',
      'a setting that the driver asks for: chip, model, baudRate; may be given again',
      collect,
      [],
    )
    .action(async (name: string, find: string, { driver, name: instrument, set, ...options }: EquipOptions) => {
      const settings = Object.fromEntries(set.map(settingOf))
      const client = await openHub(context, options)
      const made = await client.call(shownInstrumentSchema, instrumentsOf(name), {
        method: 'POST',
        body: { find, driver, name: instrument, settings },
      })
      if (options.json) return terminal.out(JSON.stringify(made, null, 2))
      terminal.out(`${name} has ${made.name}: ${JSON.stringify({ driver: made.driver, config: made.config })}`)
      terminal.err(
        `Name it in a bench of its node.yaml, or take it back with: fernlab node unequip ${name} ${made.name}`,
      )
    })

  withHub(
    node.command('unequip <node> <instrument>').description('remove an instrument that was made of a find'),
  ).action(async (name: string, instrument: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const path = `${instrumentsOf(name)}/${encodeURIComponent(instrument)}`
    await client.fetch(path, { method: 'DELETE' })
    terminal.out(options.json ? JSON.stringify({ node: name, instrument, removed: true }) : `${instrument} is removed`)
  })
}

/** The address of a node's instruments, below that of the node. */
function instrumentsOf(node: string): string {
  const address = `/api/v1/nodes/${encodeURIComponent(node)}`
  return `${address}/instruments`
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value]

function settingOf(text: string): [string, string | number] {
  const [, key = '', value = ''] = /^([a-zA-Z]\w*)=(.*)$/s.exec(text) ?? []
  if (key === '') throw misspelt('bad-argument', `--set ${text}: it is KEY=VALUE, as in chip=bme280`)
  return [key, /^\d{1,15}$/.test(value) ? Number(value) : value]
}
