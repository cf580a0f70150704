/** A contract in short words, as a program would write it. Pure. */
import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { unitText } from '../words/quantity.ts'

type Contract = DirectoryService['contract']
type Action = Contract['actions'][string]
type Value = NonNullable<Action['result']>

const typeOf = (value: Value): string => {
  const unit = unitText('unit' in value ? value.unit : undefined)
  return unit === '' ? value.type : `${value.type} (${unit})`
}

/** `sweep(from: number (V), to: number (V)) → object`; what it gives item by item has dots. */
export function actionWords(name: string, { arguments: given, result, items }: Action): string {
  const listed = Object.entries(given).map(([argument, value]) => `${argument}: ${typeOf(value)}`)
  const answer = items !== undefined ? ` → ${typeOf(items)} …` : result !== undefined ? ` → ${typeOf(result)}` : ''
  return `${name}(${listed.join(', ')})${answer}`
}

const PYTHON_KEYWORDS =
  /^(?:False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|self|try|while|with|yield)$/

/** As the client for Python names it. */
const pythonName = (name: string): string => (PYTHON_KEYWORDS.test(name) ? `${name}_` : name)

/** What a program says first to use the service, in each language. */
export function snippets({ address, contract }: Pick<DirectoryService, 'address' | 'contract'>, hub: string) {
  const signal = Object.keys(contract.signals).find((name) => contract.signals[name]?.access !== 'set')
  const python = ['import fernlab', '', `service = fernlab.Proxy("${address}")`]
  const typescript = [
    "import { connect } from '@fernlab/client'",
    '',
    `const client = await connect({ hub: '${hub}', token: process.env.FERNLAB_TOKEN ?? '' })`,
    `const service = await client.service('${address}')`,
  ]
  if (signal !== undefined) {
    python.push(`print(service.${pythonName(signal)})`)
    typescript.push(`const readings = await service.read(['${signal}'])`)
  }
  const shell = [
    `export FERNLAB_HUB='${hub}'`,
    'export FERNLAB_TOKEN=...                # fernlab token create "my program" --scope run',
    'pip install ./shared/clients/python     # Python: in a clone of Fernlab',
  ]
  return { shell: shell.join('\n'), python: python.join('\n'), typescript: typescript.join('\n') }
}
