import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { oneTimeError } from '@fernlab/hub/accounts/one-time'
import { explain } from '@fernlab/hub/scheduling/explain'
import type { Run } from '@fernlab/shared/contracts/api'
import * as assert from 'uvu/assert'
import { en } from '../../hub/web/src/language/en.ts'
import { enHardware } from '../../hub/web/src/language/en-hardware.ts'
import { enRefusals } from '../../hub/web/src/language/en-refusals.ts'
import { enStaff } from '../../hub/web/src/language/en-staff.ts'
import { es } from '../../hub/web/src/language/es.ts'
import { importReasonIn } from '../../hub/web/src/people/import-reasons.ts'
import { reasonIn, troubleIn } from '../../hub/web/src/words/reasons.ts'
import { refusalIn } from '../../hub/web/src/words/refusals.ts'
import { suite } from '../support/suite.ts'

const test = suite('reasons in the language of the page')

const root = fileURLToPath(new URL('../../', import.meta.url))

const speaking = (language: typeof en | typeof es) =>
  ((key: string, values: Readonly<Record<string, unknown>> = {}) => {
    const [group = '', ...name] = key.split('.')
    const texts = language[group as 'reason'] as Readonly<Record<string, string>>
    return (texts[name.join('.')] ?? '').replaceAll(/\{\{(\w+)\}\}/g, (_, slot: string) => String(values[slot]))
  }) as unknown as Parameters<typeof reasonIn>[1]
const english = speaking(en)
const spanish = speaking(es)

type RunError = NonNullable<Run['error']>

const error = (code: string, details: RunError['details'], studentMessage = 'as the node says it'): RunError => ({
  code,
  kind: 'instrument',
  retry: 'later',
  message: 'exactly',
  studentMessage,
  ...(details === undefined ? {} : { details }),
})

/** What hub and nodes say, as their sources have it, with a bare slot for every value. */
function spoken(): string {
  const texts = ['hub', 'edge', 'firmware-bridge', 'shared'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(
        (path) => path.endsWith('.ts') && !/(^|\/)(node_modules|dist|dist-types|web)\/|reasons-e[ns]\.ts$/.test(path),
      )
      .map((path) => readFileSync(join(root, folder, path), 'utf8')),
  )
  // Put together from parts, so that the sources do not have them whole.
  const place = { entry: { lab: 'rc-circuit', wantedBench: null } } as unknown as Parameters<typeof explain>[0]
  const down = [{ id: 'demo.rc-1', freeInS: null, reason: '{{}}' }]
  const made = [
    explain(place, { lines: [], benches: down, serves: () => true }).reason,
    oneTimeError('setup').studentMessage,
    oneTimeError('password-reset').studentMessage,
  ]
  return [...texts, ...made].join('\n').replaceAll(/\$\{[^}]*\}/g, '{{}}')
}

test('every sentence that the page knows is one that hub or node says', () => {
  const said = spoken()
  const unsaid = [
    ...Object.values(en.reason),
    ...Object.values(enStaff.importReason),
    ...Object.values(enRefusals.refusal),
    ...Object.values(enHardware.finding),
  ].filter((text) => !said.includes(text.replaceAll(/\{\{\w+\}\}/g, '{{}}')))
  assert.equal(unsaid, [])
})

test('every code that the page knows is one that hub or node gives', () => {
  const said = spoken()
  const unknown = Object.keys(en.fault).filter((code) => !said.includes(`'${code}'`) && !/^bench-/.test(code))
  assert.equal(unknown, [])
})

test('a sentence comes in the page’s language with its values, and a sentence within it too', () => {
  assert.is(reasonIn('cancelled on request', spanish), 'cancelado a petición')
  assert.is(reasonIn('cancelled by the staff', spanish), 'cancelado por el personal')
  assert.is(reasonIn('demo lost it; it starts again', spanish), 'demo lo perdió; empieza de nuevo')
  assert.is(
    reasonIn('interrupted (the node was restarted while the run was under way); it starts again', spanish),
    'interrumpido (el nodo se reinició durante el ensayo); empieza de nuevo',
  )
  assert.is(
    reasonIn('no bench is up: its node is not connected', spanish),
    'ningún banco está disponible: su nodo no está conectado',
  )
  assert.is(
    reasonIn('box is offline: out of use: config.folder: no driver.ts. Mend that, then start the node again', spanish),
    'box no está conectado: fuera de uso: config.folder: no driver.ts. Corrige eso y arranca el nodo otra vez',
  )
})

test('what is wrong with a list of people comes in the page’s language, with its line', () => {
  assert.is(importReasonIn('line 7: there is no name', spanish), 'línea 7: falta el nombre')
  assert.is(
    importReasonIn('line 7: "x" is not a role; roles are admin, guest', spanish),
    'línea 7: "x" no es una función; las funciones son admin, guest',
  )
  assert.is(
    importReasonIn('line 9: a@x.example stands in line 4 already', spanish),
    'línea 9: a@x.example ya está en la línea 4',
  )
  assert.is(
    importReasonIn('line 3 is not UTF-8: save the list as “CSV UTF-8” and choose it again', spanish).slice(0, 30),
    'la línea 3 no está en UTF-8: g',
  )
})

test('what is wrong with a form comes in the page’s language, with its values', () => {
  assert.is(refusalIn('ana@x.example is nobody with an account here', spanish), 'ana@x.example no tiene cuenta aquí')
  assert.is(refusalIn('the end is not after the start', spanish), 'el final no es posterior al comienzo')
  assert.is(refusalIn('12 V is above the limit of 5 V', spanish), '12 V está por encima del límite de 5 V')
  assert.is(
    refusalIn('"0 0 31 2 *" is not a cron expression: it names no day that comes', spanish),
    '"0 0 31 2 *" no es una expresión cron: no nombra ningún día que llegue',
  )
  assert.is(refusalIn('the cat sat on the form', spanish), 'the cat sat on the form')
})

test('English stays as it was said, word for word', () => {
  for (const said of [
    'interrupted (the node was shut down); it starts again',
    'bench demo.rc-1 did not become usable within 60 s: meter is offline: the connection was lost',
    'the run was stopped after its time limit of 35.5 s',
  ])
    assert.is(reasonIn(said, english), said)
})

test('what the page does not know stays as it is', () => {
  assert.is(reasonIn('the cat sat on the bench', spanish), 'the cat sat on the bench')
  assert.is(troubleIn({ error: error('never-heard-of', undefined) }, spanish), 'as the node says it')
  const reason = 'we are sorry: bay-1 could not be made ready (cancelled by the staff), and no other bench is left'
  assert.is(
    troubleIn({ error: error('never-heard-of', undefined), reason }, spanish),
    'lo sentimos: no se pudo preparar bay-1 (cancelado por el personal), y no queda otro banco',
  )
})

test('an error is told by its code, with the instrument that it names', () => {
  const silent = { error: error('instrument-silent', { instrument: 'meter', command: 'READ?', elapsedMs: 1000 }) }
  assert.is(troubleIn(silent, spanish), 'El instrumento meter no respondió.')
  assert.is(troubleIn(silent, english), 'The instrument meter did not answer.')
  const stale = { error: error('reading-stale', { instrument: 'balance' }) }
  assert.is(troubleIn(stale, spanish), 'El instrumento balance lleva un rato sin dar un valor.')
  const nameless = { error: error('instrument-silent', undefined) }
  assert.is(troubleIn(nameless, spanish), 'as the node says it')
})

test('an error whose sentence has the facts is told by that', () => {
  const late = error('deadline-exceeded', { at: 'steps[1].until' }, 'the condition did not come true within 3 s')
  assert.is(troubleIn({ error: late }, spanish), 'la condición no se cumplió en 3 s')
  const long = error('run-too-long', {}, 'the run was stopped after its time limit of 60 s')
  assert.is(troubleIn({ error: long }, spanish), 'el ensayo se paró al llegar a su límite de 60 s')
})

test.run()
