import * as assert from 'uvu/assert'
import { actionWords, snippets } from '../../../hub/web/src/services/contract-words.ts'
import { suite } from '../../support/suite.ts'

const test = suite('how a program that uses a service begins')
const of = (signals: Record<string, 'read' | 'set' | 'read-set'>) =>
  snippets(
    {
      address: 'fernlab://main/n/b.psu',
      contract: {
        kind: 'supply',
        version: '1.0',
        actions: {},
        events: {},
        signals: Object.fromEntries(
          Object.entries(signals).map(([name, access]) => [name, { unit: 'V', dtype: 'number', access }]),
        ),
      } as unknown as Parameters<typeof snippets>[0]['contract'],
    },
    'https://lab.example.org',
  )

test('it reads a signal that can be read, or none', () => {
  const { python, typescript } = of({ trigger: 'set', level: 'read-set', volts: 'read' })
  assert.match(python, /print\(service\.level\)/)
  assert.match(typescript, /service\.read\(\['level'\]\)/)
  const none = of({ trigger: 'set' })
  assert.not.match(none.python + none.typescript, /trigger|print|read\(/)
})

test('names that are words of Python or TypeScript make a right program, and the token is a text', () => {
  const { python, typescript } = of({ class: 'read' })
  assert.match(python, /print\(service\.class_\)/)
  assert.match(typescript, /const readings = await service\.read\(\['class'\]\)/)
  assert.match(typescript, /token: process\.env\.FERNLAB_TOKEN \?\? '' \}/)
})

test('where the token and the hub come from is said as a shell takes it', () => {
  const { shell } = of({ class: 'read' })
  assert.match(shell, /^export FERNLAB_HUB='https:\/\/lab\.example\.org'\nexport FERNLAB_TOKEN=/)
  assert.match(shell, /fernlab token create "my program" --scope run/)
})

test('an action is said with its units as they are written beside its fields', () => {
  const number = (unit: string) => ({ type: 'number', unit }) as const
  const arguments_ = { amplitude: number('uA/cm2'), load: number('Ohm'), share: number('1'), label: { type: 'string' } }
  const action = { arguments: arguments_, result: number('Cel') } as unknown as Parameters<typeof actionWords>[1]
  assert.is(
    actionWords('stimulate', action),
    'stimulate(amplitude: number (µA/cm²), load: number (Ω), share: number, label: string) → number (°C)',
  )
})

test.run()
